"""The weighted mean over time is one of the real steps only."""

import numpy as np
import pytest
import tensorflow as tf

from keras_video.layers import AttentionPooling
from keras_video.testing import draw_weights

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]], bool)


def drawn(**arguments):
    layer = AttentionPooling(name="pooling", **arguments)
    layer.build((None, None, 3))
    draw_weights(layer)
    return layer


def sequences(scale=1.0):
    return scale * np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")


def expected_mean(layer, steps):
    scores = (steps @ np.asarray(layer.score.kernel))[:, 0].astype("float64")
    weights = np.exp(scores - scores.max())
    return weights @ steps / weights.sum()


@pytest.mark.parametrize("mask_dtype", ["bool", "float32", "uint8"])
def test_it_is_the_softmax_weighted_mean_of_the_real_steps(mask_dtype):
    layer, inputs = drawn(), sequences()
    means = np.asarray(layer(inputs, mask=MASK.astype(mask_dtype)))
    for mean, steps, mask in zip(means[:3], inputs, MASK, strict=False):
        np.testing.assert_allclose(mean, expected_mean(layer, steps[mask]), atol=1e-6)
    assert not means[3].any()
    unmasked = np.asarray(layer(inputs))
    np.testing.assert_allclose(unmasked[0], means[0], atol=1e-6)


def test_large_scores_do_not_overflow():
    layer, inputs = drawn(), sequences(1e4)
    inputs[~MASK] = np.nan
    means = np.asarray(layer(inputs, mask=MASK))
    assert np.isfinite(means).all()
    np.testing.assert_allclose(means[0], expected_mean(layer, inputs[0]), rtol=1e-5)


def test_gradients_are_finite_also_without_a_real_step():
    layer, inputs = drawn(), tf.constant(sequences())
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs, mask=MASK) ** 2)
    to_inputs, to_kernel, _ = tape.gradient(loss, [inputs, *(w.value for w in layer.weights)])
    assert np.isfinite(to_inputs).all()
    assert np.isfinite(to_kernel).all()
    assert not to_inputs.numpy()[~MASK].any()


def test_the_bias_is_optional_and_changes_nothing():
    with_bias, without = drawn(), drawn(use_bias=False)
    assert (len(with_bias.weights), len(without.weights)) == (2, 1)
    outputs = [layer(sequences(), mask=MASK) for layer in (with_bias, without)]
    np.testing.assert_allclose(*outputs, atol=1e-6)
    assert AttentionPooling.from_config(without.get_config()).get_config() == without.get_config()
