import keras
import numpy as np
import pytest

from keras_video.layers import ConvNorm

FRAMES = np.random.default_rng(0).normal(size=(4, 9, 8, 6)).astype("float32")


def drawn(**arguments):
    layer = ConvNorm(5, **arguments)
    layer.build(FRAMES.shape)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return layer


def plain(layer, frames, training):
    """The same with Keras' own layers."""
    side = (layer.kernel_size - 1) // 2
    conv = keras.layers.Conv2D(
        layer.filters, layer.kernel_size, layer.strides, "valid", use_bias=False
    )
    norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    padded = keras.layers.ZeroPadding2D(side)(frames)
    conv.build(padded.shape)
    conv.kernel.assign(layer.kernel)
    outputs = conv(padded)
    norm.build(outputs.shape)
    norm.set_weights(layer.norm.get_weights())
    return norm(outputs, training=training), norm


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("training", [False, True])
def test_equals_padding_convolution_and_normalisation(kernel_size, strides, training):
    layer = drawn(kernel_size=kernel_size, strides=strides)
    expected, norm = plain(layer, FRAMES, training)
    actual = layer(FRAMES, training=training)
    assert actual.shape == layer.compute_output_shape(FRAMES.shape)
    scale = np.abs(np.asarray(expected)).max()
    np.testing.assert_allclose(actual, expected, atol=1e-5 * scale)
    for ours, theirs in zip(layer.norm.get_weights(), norm.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_frozen_norm_keeps_its_statistics_in_training():
    layer = drawn(kernel_size=3)
    layer.norm.trainable = False
    before = layer.norm.get_weights()
    np.testing.assert_array_equal(layer(FRAMES, training=True), layer(FRAMES, training=False))
    for old, new in zip(before, layer.norm.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_normalisation_is_folded_in_float32_under_bfloat16():
    layer = drawn(kernel_size=1, dtype="mixed_bfloat16")
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    layer.norm.moving_mean.assign(np.full(5, 300.0))
    layer.norm.beta.assign(np.full(5, 300.0 / np.sqrt(1 + 1e-5)) * 1.0)
    layer.norm.gamma.assign(np.ones(5))
    layer.norm.moving_variance.assign(np.ones(5))
    # Rounded to bfloat16 first, the two offsets would not cancel.
    layer.norm.beta.assign(np.asarray(layer.norm.beta) + 0.25)
    actual = np.asarray(keras.ops.cast(layer(np.zeros((1, 1, 1, 6))), "float32"))
    np.testing.assert_allclose(actual, 0.25, atol=1e-3)


def test_leaky_relu_has_the_slope_of_the_reference():
    linear = drawn(kernel_size=1)
    leaky = drawn(kernel_size=1, activation="leaky_relu")
    outputs = np.asarray(linear(FRAMES))
    assert (outputs < 0).any()
    expected = np.where(outputs < 0, 0.01 * outputs, outputs)
    np.testing.assert_allclose(leaky(FRAMES), expected, rtol=1e-5)


def test_config_round_trip():
    layer = ConvNorm(5, 3, 2, "relu", momentum=0.8, epsilon=1e-3, name="conv", dtype="bfloat16")
    assert ConvNorm.from_config(layer.get_config()).get_config() == layer.get_config()


def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match="Received: kernel_size=2"):
        ConvNorm(5, 2)
