import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.layers import ConvNorm3D
from keras_video.testing import draw_weights

CASES = [
    ((1, 1, 1), (1, 1, 1)),
    ((1, 1, 1), (1, 2, 2)),
    ((1, 3, 3), (1, 2, 2)),
    ((1, 7, 7), (1, 2, 2)),
    ((3, 1, 1), (1, 1, 1)),
    ((7, 1, 1), (4, 1, 1)),
    ((5, 7, 7), (1, 2, 2)),
    ((3, 3, 3), (1, 1, 1)),
]


def clips(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def in_three_dimensions(layer, inputs, training=False):
    """The same with Keras' 3-D convolution and its own normalisation."""
    sides = [(size // 2, size // 2) for size in layer.kernel_size]
    padded = np.pad(inputs, [(0, 0), *sides, (0, 0)])
    outputs = keras.ops.conv(padded, layer.kernel, layer.strides, "valid")
    if training:
        mean, variance = keras.ops.moments(outputs, axes=(0, 1, 2, 3))
    else:
        mean, variance = layer.norm.moving_mean, layer.norm.moving_variance
    scale = layer.norm.gamma / keras.ops.sqrt(variance + 1e-5)
    return (outputs - mean) * scale + layer.norm.beta


@pytest.mark.parametrize("filters", [8, 64])
@pytest.mark.parametrize("kernel_size, strides", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_it_is_a_convolution_in_three_dimensions(kernel_size, strides, training, filters):
    inputs = clips(2, 8, 9, 10, 6)
    layer = ConvNorm3D(filters, kernel_size, strides, activation="relu")
    layer.build(inputs.shape)
    draw_weights(layer)
    expected = keras.ops.relu(in_three_dimensions(layer, inputs, training))

    outputs = layer(inputs, training=training)

    np.testing.assert_allclose(outputs, expected, atol=2e-5)
    assert outputs.shape == layer.compute_output_shape(inputs.shape)


def test_the_residual_is_added_before_the_activation():
    inputs, residual = clips(2, 4, 5, 5, 6), clips(2, 4, 5, 5, 8) - 1
    layer = ConvNorm3D(8, (1, 1, 1), activation="relu")
    expected = keras.ops.relu(layer(inputs) * 0 + residual)
    layer.norm.gamma.assign(np.zeros(8))
    np.testing.assert_allclose(layer(inputs, residual=residual), expected, atol=1e-6)
    np.testing.assert_allclose(layer(inputs, residual=residual, training=True), expected, atol=1e-6)


@pytest.mark.parametrize("filters", [4, 64])
@pytest.mark.parametrize("kernel_size", [(3, 1, 1), (3, 3, 3)])
def test_gradients_are_those_of_three_dimensions(kernel_size, filters):
    inputs = clips(2, 8, 6, 6, 6)
    weights = tf.constant(clips(2, 8, 6, 6, filters))
    layer = ConvNorm3D(filters, kernel_size)
    layer.build(inputs.shape)
    draw_weights(layer)

    def plain(inputs, training):
        return in_three_dimensions(layer, inputs, training)

    results = []
    for call in (layer, plain):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(call(inputs, training=True) * weights)
        results.append(tape.gradient(loss, [layer.kernel, layer.norm.gamma]))
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kernel_size": (2, 1, 1)}, "odd kernels"),
        ({"kernel_size": (3, 3, 1)}, "`kernel_size` must be"),
        ({"kernel_size": (1, 3, 3), "strides": (2, 1, 1)}, "Strides in time"),
        ({"kernel_size": (3, 1, 1), "strides": (1, 2, 2)}, "Strides in space"),
    ],
)
def test_kernels_that_are_not_supported_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvNorm3D(8, **arguments)
