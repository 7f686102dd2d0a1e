"""ActionLSTM says what a segment shows and how well it fits, whatever it is padded with."""

import keras
import numpy as np
import pytest

from keras_video.models import ActionLSTM
from keras_video.testing import draw_weights

SMALL = {"embedding_dim": 6, "lstm_dim": 5, "hidden_dims": (7,)}


def segments(count=3, steps=9, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "image": rng.normal(size=(count, steps, 4)).astype("float32"),
        "image_mask": np.ones((count, steps), bool),
        "sound": rng.normal(size=(count, 3, 2)).astype("float32"),
        "sound_mask": np.ones((count, 3), bool),
    }


@pytest.fixture(scope="module")
def model():
    model = ActionLSTM(4, {"image": 4, "sound": 2}, **SMALL)
    draw_weights(model)
    return model


def test_both_heads_answer_in_float32(model):
    outputs = model.predict(segments(), verbose=0)
    assert outputs["classes"].shape == (3, 4) and outputs["iou"].shape == (3, 1)
    assert ((outputs["iou"] > 0) & (outputs["iou"] < 1)).all()
    half = ActionLSTM(4, {"image": 4, "sound": 2}, **SMALL, dtype="mixed_bfloat16")
    half.set_weights(model.get_weights())
    for name, array in half.predict(segments(), verbose=0).items():
        assert array.dtype == "float32"
        np.testing.assert_allclose(array, outputs[name], atol=0.1)


def test_padding_plays_no_role(model):
    inputs = segments()
    padded = {
        name: np.pad(array, ((0, 0), (0, 6)) + ((0, 0),) * (array.ndim - 2))
        for name, array in inputs.items()
    }
    padded["image"][:, 9:] = np.nan
    expected, actual = (model.predict(x, verbose=0) for x in (inputs, padded))
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], atol=1e-6)


def test_it_learns_the_class_and_the_overlap():
    keras.utils.set_random_seed(0)
    inputs = segments(64, seed=1)
    classes = np.arange(64) % 4
    inputs["image"][np.arange(64), :, classes] += 2
    overlaps = (classes[:, None] / 4).astype("float32")
    model = ActionLSTM(4, {"image": 4, "sound": 2}, **SMALL, dropout=0.0)
    model.compile(
        keras.optimizers.Adam(0.01),
        {
            "classes": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "iou": keras.losses.MeanSquaredError(),
        },
        loss_weights={"classes": 1.0, "iou": 10.0},
    )
    labels = {"classes": classes, "iou": overlaps}
    model.fit(inputs, labels, batch_size=16, epochs=30, verbose=0)
    outputs = model.predict(inputs, verbose=0)
    assert (outputs["classes"].argmax(axis=1) == classes).mean() > 0.95
    assert np.abs(outputs["iou"] - overlaps).mean() < 0.1


def test_by_default_it_is_football_action_s():
    """An LSTM of as many cells as features in each direction, no embedding."""
    model = ActionLSTM(8, {"image": 32, "sound": 16}, hidden_dims=(24, 12))
    names = {layer.name for layer in model.layers}
    assert not any("embedding" in name for name in names)
    assert model.get_layer("image_lstm").units == 32
    assert model.get_layer("hidden1").kernel.shape == (2 * (32 + 16), 24)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 0},
        {"features": {}},
        {"features": {"a": 3, "a_mask": 2}},
        {"hidden_dims": (8, 0)},
        {"lstm_dim": 2.5},
    ],
)
def test_arguments_are_checked(arguments):
    with pytest.raises(ValueError, match="Received"):
        ActionLSTM(**{"num_classes": 4, "features": {"image": 4}, **arguments})
