"""AttentionLSTM on modalities of any number and length, masked in any way."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.models import AttentionLSTM
from keras_video.testing import draw_weights

SMALL = {"num_classes": 5, "embedding_dim": 8, "lstm_dim": 6, "hidden_dims": (16, 8)}
TWO = {"rgb": 6, "audio": 4}


def build(**arguments):
    model = AttentionLSTM(**{"features": TWO, **SMALL, **arguments})
    draw_weights(model)
    return model


def codes(name, channels, steps, batch=2):
    seeds = [sum(name.encode()) + sample for sample in range(batch)]
    rows = [np.random.default_rng(s).integers(0, 256, (steps, channels), "uint8") for s in seeds]
    return {name: np.array(rows), f"{name}_mask": np.ones((batch, steps), bool)}


def inputs_of(features, steps=7):
    return {k: v for name, size in features.items() for k, v in codes(name, size, steps).items()}


def answers(model, inputs):
    return model.predict_on_batch(inputs)


def padded(inputs, name, steps, value):
    """With more steps of one modality, which the mask leaves out."""
    batch, _, channels = inputs[name].shape
    rubbish = np.full((batch, steps, channels), value, inputs[name].dtype)
    return {
        **inputs,
        name: np.concatenate([inputs[name], rubbish], axis=1),
        f"{name}_mask": np.pad(inputs[f"{name}_mask"], ((0, 0), (0, steps))),
    }


@pytest.mark.parametrize("peepholes", [False, True])
def test_the_answer_does_not_depend_on_padding_and_what_it_holds(peepholes):
    model, inputs = build(peepholes=peepholes), inputs_of(TWO)
    expected = answers(model, inputs)
    for name in TWO:
        for value in (0, 255):
            found = answers(model, padded(inputs, name, 9, value))
            np.testing.assert_allclose(found, expected, atol=1e-6)
        floats = {k: v.astype("float32") if v.dtype == "uint8" else v for k, v in inputs.items()}
        found = answers(model, padded(floats, name, 9, np.nan))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_modalities_may_differ_in_length_and_are_any_number():
    for features in ({"clip": 3}, {"rgb": 6, "audio": 4, "flow": 2}):
        model = build(features=features)
        inputs = {}
        for number, (name, channels) in enumerate(features.items()):
            inputs |= codes(name, channels, 3 + 2 * number)
        assert answers(model, inputs).shape == (2, 5)
        assert model.get_layer("hidden1").kernel.shape[0] == 12 * len(features)


def test_samples_without_any_step_have_finite_answers_and_gradients():
    model, inputs = build(dropout=0.0), inputs_of(TWO)
    inputs["rgb_mask"][0] = False
    inputs["audio_mask"][0] = False
    assert np.isfinite(answers(model, inputs)).all()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs, training=True) ** 2)
    for gradient in tape.gradient(loss, [v.value for v in model.trainable_variables]):
        assert np.isfinite(gradient).all()


def test_codes_are_dequantized_to_the_middle_of_their_interval():
    model, features = build(), {"rgb": 6}
    inputs = codes("rgb", 6, 4)
    real = inputs["rgb"] * (4 / 255) + (4 / 512 - 2)
    quantized, plain = build(features=features), build(features=features, feature_range=None)
    expected = answers(plain, {**inputs, "rgb": real.astype("float32")})
    np.testing.assert_allclose(answers(quantized, inputs), expected, atol=1e-6)
    dequantize = model.get_layer("dequantize")
    bounds = np.asarray(dequantize(np.array([0, 255], "float32")))
    np.testing.assert_allclose(bounds, [-2 + 4 / 512, 2 + 4 / 512], rtol=1e-6)


def test_dropout_acts_in_training_only():
    model, inputs = build(), inputs_of(TWO)
    same = [model(inputs, training=False) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    other = [np.asarray(model(inputs, training=True)) for _ in range(2)]
    assert np.abs(other[0] - other[1]).max() > 1e-3


def test_another_number_of_classes_gives_a_fresh_head(tmp_path):
    model = build()
    model.save_to_preset(tmp_path / "preset")
    other = AttentionLSTM.from_preset(tmp_path / "preset", num_classes=3)
    assert other.num_classes == 3
    ours, theirs = (m.get_layer("hidden2").kernel for m in (model, other))
    np.testing.assert_array_equal(ours, theirs)
    assert not np.asarray(other.get_layer("classifier").bias).any()


def test_the_order_of_modalities_survives_saving(tmp_path):
    """It is the order of the rows of the first dense layer."""
    model = build()
    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    for copy in (
        AttentionLSTM.from_preset(tmp_path / "preset"),
        keras.saving.load_model(tmp_path / "model.keras"),
    ):
        assert list(copy.features) == ["rgb", "audio"]


@pytest.mark.parametrize("peepholes", [False, True])
def test_an_exported_graph_has_no_lists_of_tensors_and_suits_litert(tmp_path, peepholes):
    features = {"rgb": 6} if peepholes else TWO
    model, inputs = build(peepholes=peepholes, features=features), inputs_of(features)
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    graph = served.signatures["serving_default"].graph.as_graph_def()
    nodes = [graph.node, *(function.node_def for function in graph.library.function)]
    operations = {node.op for group in nodes for node in group}
    assert {op for op in operations if "While" in op}
    assert not {op for op in operations if "TensorList" in op or "TensorArray" in op}
    longer = inputs
    for number, name in enumerate(features):
        longer = padded(longer, name, 3 * number + 1, 7)
    floats = {k: tf.cast(v, "float32") if v.dtype == "uint8" else v for k, v in longer.items()}
    np.testing.assert_allclose(served.serve(floats), answers(model, inputs), atol=1e-6)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    # Only what LiteRT has itself; anything else raises an error.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    assert len(converter.convert()) > 10_000


def test_decay_spares_the_biases_after_the_attention():
    ((pattern, rate, decay),) = AttentionLSTM.weight_rules
    paths = [v.path for v in build().trainable_variables if re.search(pattern, v.path)]
    assert paths == ["hidden1/bias", "hidden2/bias", "classifier/bias"]
    assert (rate, decay) == (1.0, 0.0)


def test_arguments_out_of_range_are_refused():
    for arguments, message in (
        ({"num_classes": 0}, "`num_classes` must be a positive integer. Received: num_classes=0"),
        ({"lstm_dim": 1.5}, "`lstm_dim` must be a positive integer"),
        ({"hidden_dims": (8, -1)}, "`hidden_dims` must be positive integers"),
        ({"features": {}}, "`features` must give the channels"),
        ({"features": {"rgb": 0}}, "`features` must give the channels"),
        ({"features": {"a": 3, "a_mask": 3}}, "no name may be another one's"),
        ({"feature_range": (2, -2)}, "`feature_range` must be"),
        ({"feature_range": (0,)}, "`feature_range` must be"),
    ):
        with pytest.raises(ValueError, match=message):
            build(**arguments)


def test_forms_of_the_dense_layers():
    none = build(hidden_dims=())
    assert answers(none, inputs_of(TWO)).shape == (2, 5)
    three = build(hidden_dims=[9, 8, 7])
    activations = [three.get_layer(f"hidden{n}").activation.__name__ for n in (1, 2, 3)]
    assert activations == ["relu", "relu", "tanh"]
