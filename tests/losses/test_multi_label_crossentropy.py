"""`MultiLabelCrossentropy`: the reference's sum over classes, the mean over videos."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.losses import MultiLabelCrossentropy

GOLDEN = Path(__file__).parents[1] / "golden" / "youtube8m"


@pytest.fixture(scope="module")
def golden():
    arrays = np.load(GOLDEN / "metrics.npz")
    return arrays["bce_labels"].astype("float32"), arrays["bce_logits"]


def test_the_sum_is_that_of_the_reference(golden):
    expected = json.loads((GOLDEN / "metrics.json").read_text())["bce_sum"]
    assert float(MultiLabelCrossentropy()(*golden)) * len(golden[0]) == pytest.approx(expected)
    assert float(MultiLabelCrossentropy(reduction="sum")(*golden)) == pytest.approx(expected)


def test_the_mean_over_videos_does_not_depend_on_their_number(golden):
    twice = [np.concatenate([part, part]) for part in golden]
    loss = MultiLabelCrossentropy()
    assert float(loss(*twice)) == pytest.approx(float(loss(*golden)))


def test_large_logits_are_exact_and_finite():
    logits = np.array([[20.0, -20.0, 1000.0, -1000.0]], "float32")
    right = np.array([[1.0, 0.0, 1.0, 0.0]], "float32")
    loss = MultiLabelCrossentropy()
    assert float(loss(right, logits)) == pytest.approx(2 * np.log1p(np.exp(-20.0)), rel=1e-5)
    assert float(loss(1 - right, logits)) == pytest.approx(2040.0)


@pytest.mark.parametrize("logit", [0.0, -3.0, 15.0, 200.0])
def test_the_gradient_is_probability_minus_label(logit):
    logits, labels = tf.constant([[logit, logit]]), tf.constant([[1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = MultiLabelCrossentropy()(labels, logits)
    probability = 1 / (1 + np.exp(-np.float64(logit)))
    expected = [[-1 / (1 + np.exp(np.float64(logit))), probability]]
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, rtol=1e-5, atol=1e-30)


def test_weights_and_smoothing():
    labels, logits = np.eye(2, dtype="float32"), np.array([[2.0, -1.0], [0.5, 0.0]], "float32")
    smooth = 0.8 * labels + 0.1
    expected = MultiLabelCrossentropy(reduction="sum")(smooth[:1], logits[:1])
    loss = MultiLabelCrossentropy(label_smoothing=0.2, reduction="sum")
    weighted = loss(labels, logits, sample_weight=np.array([1.0, 0.0]))
    assert float(weighted) == pytest.approx(float(expected))


def test_half_precision_logits_are_computed_in_float32():
    labels = np.zeros((1, 4000), "float32")
    loss = MultiLabelCrossentropy()(labels, tf.zeros((1, 4000), "float16"))
    assert loss.dtype == "float32" and float(loss) == pytest.approx(4000 * np.log(2), rel=1e-5)


def test_config_round_trip():
    loss = keras.losses.deserialize(
        keras.losses.serialize(MultiLabelCrossentropy(0.1, reduction="sum"))
    )
    assert (loss.label_smoothing, loss.reduction) == (0.1, "sum")


@pytest.mark.parametrize(
    "labels, message", [(np.zeros((2, 3)), "a label for each class"), (np.zeros(2), "the shape")]
)
def test_other_shapes_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        MultiLabelCrossentropy().call(tf.constant(labels), tf.zeros((2, 4)))


def test_too_much_smoothing_is_refused():
    with pytest.raises(ValueError, match="label_smoothing=1"):
        MultiLabelCrossentropy(label_smoothing=1)
