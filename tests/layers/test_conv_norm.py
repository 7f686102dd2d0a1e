import keras
import numpy as np
import pytest
import tensorflow as tf

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


def policy(dtype):
    return dtype if dtype == "float32" else f"mixed_{dtype}"


def trained(norm, frames, **function_arguments):
    """Outputs, moving statistics and gradients (by frames, gamma and beta) of a step."""

    @tf.function(autograph=False, **function_arguments)
    def step(frames):
        with tf.GradientTape() as tape:
            tape.watch(frames)
            outputs = norm(frames, training=True)
            loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
        return outputs, tape.gradient(loss, [frames, norm.gamma.value, norm.beta.value])

    outputs, gradients = step(tf.convert_to_tensor(frames))
    return [outputs, norm.moving_mean, norm.moving_variance, *gradients]


def norms(frames, **arguments):
    """A norm of ours and Keras' own, with the same weights."""
    ours = drawn(kernel_size=1, **arguments).norm
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    theirs.build(frames.shape)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def assert_close(actual, expected, tolerance):
    for ours, theirs in zip(actual, expected, strict=True):
        ours, theirs = (np.asarray(tf.cast(a, "float64")) for a in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-5), ("bfloat16", 1e-2), ("float16", 2e-3)]
)
@pytest.mark.parametrize("xla", [False, True])
def test_a_training_step_equals_kerass_in_every_precision(dtype, tolerance, xla):
    frames = tf.cast(FRAMES[..., :5] * 2 + 1, dtype)
    ours, theirs = norms(frames, dtype=policy(dtype))

    actual = trained(ours, frames, jit_compile=xla)

    assert actual[0].dtype == dtype
    assert {value.dtype for value in actual[1:3]} == {"float32"}
    assert_close(actual, trained(theirs, tf.cast(frames, "float32")), tolerance)


def test_the_variance_of_a_single_value_is_zero():
    norm = drawn(kernel_size=1).norm
    variance = norm.moving_variance.numpy()
    outputs, *_ = trained(norm, FRAMES[:1, :1, :1, :5])
    np.testing.assert_allclose(outputs[0, 0, 0], norm.beta, rtol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.9 * variance, rtol=1e-6)


def test_the_momentum_may_be_a_tensor():
    ours, theirs = norms(FRAMES[..., :5])
    ours.momentum, theirs.momentum = tf.constant(0.25), 0.25
    assert_close(trained(ours, FRAMES[..., :5]), trained(theirs, FRAMES[..., :5]), 1e-5)


@pytest.mark.parametrize(
    "dtype, offset, tolerance",
    [("float32", 0, 1e-5), ("float32", 100, 1e-4), ("bfloat16", 0, 1e-2), ("bfloat16", 100, 1e-2)],
)
def test_replicas_that_synchronise_equal_one_device(two_replicas, dtype, offset, tolerance):
    # Replicas differ by much more than the values of one.
    frames = FRAMES[..., :5] + np.array([-1, -1, 1, 1], "float32")[:, None, None, None] * 5 + offset
    frames = tf.cast(tf.cast(frames, dtype), "float32").numpy()
    expected = trained(norms(frames)[1], frames)
    with two_replicas.scope():
        norm = drawn(kernel_size=1, synchronized=True, dtype=policy(dtype)).norm

    @tf.function(autograph=False)
    def run(frames):
        def step(frames):
            with tf.GradientTape() as tape:
                tape.watch(frames)
                outputs = norm(tf.cast(frames, norm.compute_dtype), training=True)
                loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
            gradients = tape.gradient(loss, [frames, norm.gamma.value, norm.beta.value])
            return outputs, *gradients

        return two_replicas.run(step, args=(frames,))

    halves = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(frames, 2)[context.replica_id_in_sync_group])
    )
    outputs, by_frames, *by_weights = map(two_replicas.experimental_local_results, run(halves))

    whole = [tf.concat(outputs, 0), norm.moving_mean, norm.moving_variance, tf.concat(by_frames, 0)]
    assert_close([*whole, *map(tf.add_n, by_weights)], expected, tolerance)


def test_synchronising_takes_one_exchange_each_way(two_replicas, monkeypatch):
    with two_replicas.scope():
        norm = drawn(kernel_size=1, synchronized=True).norm
    all_reduce, exchanged = tf.distribute.ReplicaContext.all_reduce, []

    def counted(context, *arguments, **options):
        exchanged.append(arguments)
        return all_reduce(context, *arguments, **options)

    monkeypatch.setattr(tf.distribute.ReplicaContext, "all_reduce", counted)
    two_replicas.run(lambda: norm(tf.ones((2, 3, 3, 5)), training=True))
    assert len(exchanged) == 2  # One of each replica.


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
