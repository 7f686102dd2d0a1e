import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.models import SlowFast, SlowOnly
from keras_video.models.slowfast.position_head import PositionAverage
from keras_video.models.slowfast.slow_frames import SlowFrames
from keras_video.testing import draw_clips, draw_weights

SMALL = {"num_classes": 6, "num_frames": 8, "depth": 14, "width": 8, "dropout": 0.0}


def drawn(model_class=SlowFast, **arguments):
    model = model_class(**{**SMALL, **arguments})
    draw_weights(model)
    return model


def softmax(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


@pytest.mark.parametrize(
    "model_class, arguments, parameters",
    [
        (SlowFast, {}, 34_566_488),
        (SlowFast, {"alpha": 8, "fusion_kernel": 5}, 34_480_216),
        (SlowOnly, {}, 32_454_096),
    ],
)
def test_number_of_parameters(model_class, arguments, parameters):
    model = model_class(**arguments)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == parameters


@pytest.mark.parametrize("alpha", [2, 4, 8])
def test_the_slow_pathway_takes_the_frames_of_the_reference(alpha):
    for count in range(1, 17):
        frames = np.arange(alpha * count)
        clip = frames.reshape(1, -1, 1, 1, 1).astype("float32")
        places = np.linspace(0, len(frames) - 1, count).astype(int)
        np.testing.assert_array_equal(SlowFrames(alpha, "linspace")(clip)[0, :, 0, 0, 0], places)
        strided = SlowFrames(alpha, "stride")(clip)[0, :, 0, 0, 0]
        np.testing.assert_array_equal(strided, frames[::alpha])


def test_lengths_and_sizes_that_only_the_call_knows():
    fixed, free = drawn(), drawn(num_frames=None)
    signature = tf.TensorSpec((None, None, None, None, 3), "uint8")
    call = tf.function(lambda x: free(x, training=False), input_signature=[signature])
    for height, width in ((64, 64), (45, 97), (260, 225)):
        clips = draw_clips(1, 8, height, width)
        np.testing.assert_allclose(call(clips), fixed.predict(clips, verbose=0), atol=1e-4)
    assert call(draw_clips(2, 12, 64, 64)).shape == (2, 6)


def test_a_clip_that_alpha_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of alpha=4 frames. Received: 6 frames"):
        drawn(num_frames=None).predict_on_batch(draw_clips(1, 6, 32, 32))
    with pytest.raises(ValueError, match="multiple of `alpha`"):
        SlowFast(num_frames=30)


@pytest.mark.parametrize("model_class", [SlowFast, SlowOnly])
def test_windows_are_judged_alone_and_averaged(model_class):
    clips = draw_clips(1, 8, 256, 224)  # 8 by 7 cells: two windows
    probabilities, logits, whole = (
        drawn(model_class, **arguments)
        for arguments in ({}, {"average": "logits"}, {"pool_size": None})
    )
    names = [layer.name for layer in whole.layers if layer.name.endswith("windows")]
    features = keras.Model(whole.input, [whole.get_layer(name).input for name in names])
    means = [np.asarray(mean) for mean in keras.tree.flatten(features.predict(clips, verbose=0))]
    classifier = whole.get_layer("classifier")
    windows = [
        classifier(np.concatenate([m[:, i : i + 7].mean((1, 2)) for m in means], axis=-1)).numpy()
        for i in range(2)
    ]
    expected = np.mean([softmax(window) for window in windows], axis=0)
    np.testing.assert_allclose(softmax(probabilities.predict(clips, verbose=0)), expected, 1e-4)
    mean = np.mean(windows, axis=0)
    np.testing.assert_allclose(logits.predict(clips, verbose=0), mean, atol=1e-4)
    # In training the frame is one window.
    for layer in probabilities.backbone.layers:
        if hasattr(layer, "norm"):
            layer.norm.trainable = False
    expected = whole.predict(clips, verbose=0)
    np.testing.assert_allclose(probabilities(clips, training=True), expected, atol=1e-4)


def test_a_single_window_gives_the_logits_themselves():
    clips = draw_clips(2, 8, 64, 64)
    outputs = [drawn(average=a).predict(clips, verbose=0) for a in ("probabilities", "logits")]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_windows_that_are_quite_sure_stay_finite():
    logits = np.array([[[[900.0, 0.0, -900.0]], [[900.0, 10.0, -900.0]]]], "float32")
    layer = PositionAverage("probabilities")
    with tf.GradientTape() as tape:
        tape.watch(inputs := tf.constant(logits))
        outputs = layer(inputs)
    expected = [900, 10 - np.log(2), -900]
    np.testing.assert_allclose(outputs - outputs[0, 0], [np.array(expected) - 900], rtol=1e-5)
    assert np.isfinite(tape.gradient(outputs, inputs)).all()


def test_views_are_averaged_after_the_softmax():
    logits = np.array([[9.0, 0.0, 1.0], [0.0, 1.0, 3.0], [0.0, 1.0, 3.0]])
    scores = SlowFast.scores_of_views(SlowFast, logits)
    np.testing.assert_allclose(scores, softmax(logits).mean(0), rtol=1e-6)
    assert scores.argmax() == 2 != logits.mean(0).argmax()


def test_blocks_start_as_the_identity():
    model = SlowFast(**SMALL)
    last = [layer for layer in model.backbone.layers if layer.name.endswith("_conv3")]
    assert len(last) == 8
    for layer in last:
        assert not np.any(layer.norm.gamma.numpy())


def test_there_is_no_pooling_over_three_axes():
    model = drawn()
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec((1, 8, 64, 64, 3), "uint8")
    )
    operations = {operation.type for operation in graph.graph.get_operations()}
    assert "MaxPool" in operations
    assert not [name for name in operations if "Pool3D" in name]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"depth": 34}, "`depth` must be one of"),
        ({"num_classes": 0}, "`num_classes` must be a positive integer"),
        ({"slow_frames": "first"}, '`slow_frames` must be "linspace" or "stride"'),
        ({"average": "votes"}, '`average` must be "probabilities" or "logits"'),
        ({"width": 12}, "`width` must be a multiple of `beta`"),
        ({"fusion_kernel": 4}, "odd kernels"),
        ({"pool_size": 0}, "`pool_size` must be a positive integer, or None"),
        ({"normalize": "video"}, '"kinetics"'),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SlowFast(**{**SMALL, **arguments})
