"""`ConvNorm3D` computes 3-D convolutions, in the forms that are fastest where it runs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video._compat import lowered_for_cpu
from keras_video.layers import ConvNorm3D

KERNELS = [
    ((1, 3, 3), (1, 2, 2)),
    ((3, 1, 1), (1, 1, 1)),
    ((7, 1, 1), (4, 1, 1)),
    ((5, 7, 7), (1, 2, 2)),
]


def direct(clips, kernel, strides):
    """The convolution with symmetric padding, in TensorFlow's own three dimensions."""
    padding = [(0, 0), *((size // 2, size // 2) for size in kernel.shape[:3]), (0, 0)]
    return tf.nn.conv3d(tf.pad(clips, padding), kernel, [1, *strides, 1], "VALID")


def filled(kernel_size, strides, filters):
    layer = ConvNorm3D(filters, kernel_size, strides)
    layer.build((None, None, None, None, 6))
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return layer


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("time", [4, 5])
@pytest.mark.parametrize(("kernel_size", "strides"), KERNELS)
def test_in_inference_it_is_the_convolution_with_the_normalisation_folded_in(
    kernel_size, strides, time, lowered
):
    layer = filled(kernel_size, strides, filters=8)
    clips = np.random.default_rng(1).normal(size=(2, time, 9, 12, 6)).astype("float32")
    norm = layer.norm
    expected = direct(clips, layer.kernel.value, strides) - norm.moving_mean.value
    expected = expected * norm.gamma * tf.math.rsqrt(norm.moving_variance.value + norm.epsilon)
    token = lowered_for_cpu.set(lowered)
    try:
        outputs = layer(clips)
    finally:
        lowered_for_cpu.reset(token)
    np.testing.assert_allclose(outputs, expected + norm.beta, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("filters", [8, 64])
@pytest.mark.parametrize(("kernel_size", "strides"), KERNELS)
def test_its_gradients_in_training_are_those_of_the_convolution(kernel_size, strides, filters):
    layer = filled(kernel_size, strides, filters)
    clips = tf.constant(np.random.default_rng(1).normal(size=(2, 4, 9, 12, 6)), "float32")

    def normalised(outputs):
        mean, variance = tf.nn.moments(outputs, [0, 1, 2, 3])
        scale = tf.math.rsqrt(variance + layer.norm.epsilon) * layer.norm.gamma
        return (outputs - mean) * scale + layer.norm.beta

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(clips)
        outputs = layer(clips, training=True)
        expected = normalised(direct(clips, layer.kernel.value, strides))
        weights = tf.cos(tf.range(tf.size(outputs), dtype="float32"))
        loss = tf.reduce_sum(tf.reshape(outputs, [-1]) * weights)
        expected_loss = tf.reduce_sum(tf.reshape(expected, [-1]) * weights)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    for variable in (clips, layer.kernel.value):
        gradient = tape.gradient(expected_loss, variable)
        np.testing.assert_allclose(
            tape.gradient(loss, variable), gradient, atol=1e-4 * np.abs(gradient).max()
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2, 1, 1),), "odd kernels"),
        (((1, 3, 1),), "side, side"),
        (((1, 3, 3), (2, 1, 1)), "Strides in time"),
        (((3, 1, 1), (1, 2, 2)), "Strides in space"),
    ],
)
def test_sizes_that_it_cannot_compute_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvNorm3D(8, *arguments)


def test_it_is_restored_from_its_config():
    layer = ConvNorm3D(8, (3, 1, 1), activation="relu", zero_scale=True, momentum=0.95)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
