"""`TimeSformer` beyond what the contract and the golden files hold it to."""

import keras
import numpy as np
import pytest

from keras_video.models import TimeSformer
from keras_video.testing import draw_clips, draw_weights

TINY = {
    "num_classes": 5,
    "num_frames": 3,
    "image_size": 48,
    "hidden_dim": 32,
    "num_layers": 2,
    "num_heads": 4,
}


def drawn(**arguments):
    model = TimeSformer(**{**TINY, **arguments})
    draw_weights(model)
    return model


def test_space_only_is_the_mean_over_frames():
    """Joint attention over one frame, without a time, is attention within the frame."""
    model = drawn(attention="space_only")
    frame = drawn(attention="joint_space_time", num_frames=1)
    frame.get_layer("embedding").time_embedding.assign(np.zeros((1, 1, 32)))
    clips = draw_clips(2, 3, 48, 48)

    last = keras.Model(frame.input, frame.get_layer("block2_mlp").output)
    classes = [last(clips[:, [index]])[:, 0] for index in range(3)]
    features = model.get_layer("norm")(sum(classes) / 3)

    assert not [weight for weight in model.weights if "times" in weight.path]
    expected = model.get_layer("classifier")(features)
    np.testing.assert_allclose(model.predict(clips, verbose=0), expected, atol=1e-5)


def test_views_are_averaged_as_logits_or_as_probabilities():
    logits = np.array([[4.0, 0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0, 0.0]], "float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    mean = np.exp(logits.mean(0))
    np.testing.assert_allclose(
        TimeSformer(**TINY).scores_of_views(logits), mean / mean.sum(), rtol=1e-6
    )
    model = TimeSformer.from_config(TimeSformer(**TINY, view_average="probabilities").get_config())
    np.testing.assert_allclose(model.scores_of_views(logits), probabilities.mean(0), rtol=1e-6)


def test_stochastic_depth_grows_with_depth():
    model = TimeSformer(**{**TINY, "num_layers": 3}, drop_path=0.2)
    rates = [model.get_layer(f"block{number}_mlp").drop_path for number in (1, 2, 3)]
    assert rates == pytest.approx([0.0, 0.1, 0.2])


def test_a_fresh_network_hardly_looks_at_time():
    """As published: only the first block's dense layer over time does not start at zero."""
    kernels = [
        TimeSformer(**TINY).get_layer(f"block{number}_attention").temporal_dense.kernel.numpy()
        for number in (1, 2)
    ]
    assert np.abs(kernels[0]).max() > 0 and np.abs(kernels[1]).max() == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"attention": "axial"}, "`attention` must be one of divided_space_time, .*'axial'"),
        ({"image_size": 50}, "multiple of `patch_size`. Received: image_size=50, patch_size=16"),
        ({"num_heads": 5}, "divide `hidden_dim`. Received: hidden_dim=32, num_heads=5"),
        ({"num_frames": None}, "`num_frames` must be a positive integer. Received: num_frames=N"),
        ({"view_average": "max"}, "Received: view_average='max'"),
        ({"drop_path": 1.0}, "Received: rate=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TimeSformer(**{**TINY, **arguments})
