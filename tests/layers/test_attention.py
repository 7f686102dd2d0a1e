"""`SelfAttention` and `DividedSpaceTimeAttention`, against the textbook."""

import keras
import numpy as np
import pytest

from keras_video._compat import lowered_for_cpu
from keras_video.layers import DividedSpaceTimeAttention, SelfAttention
from keras_video.testing import draw_weights

TOKENS = np.random.default_rng(0).normal(size=(2, 3, 5, 8)).astype("float32")


def attention(x, layer):
    """Over the last but one axis of `x`, one head at a time."""
    rows = x @ layer.qkv.kernel.numpy() + layer.qkv.bias.numpy()
    heads = []
    for query, key, value in zip(
        *(np.split(part, layer.num_heads, -1) for part in np.split(rows, 3, -1)), strict=True
    ):
        scores = np.exp(query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1]))
        heads.append(scores / scores.sum(-1, keepdims=True) @ value)
    return np.concatenate(heads, -1) @ layer.projection.kernel.numpy() + layer.projection.bias


def norm(x):
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)


def drawn(layer, shape):
    model = keras.Sequential([keras.Input(shape[1:]), layer])
    draw_weights(model)
    return model


@pytest.mark.parametrize("axis", [1, 2])
def test_attention_goes_along_one_axis(axis):
    layer = SelfAttention(num_heads=2, axis=axis)
    model = drawn(layer, TOKENS.shape)
    swapped = TOKENS.swapaxes(1, 2) if axis == 1 else TOKENS
    expected = attention(swapped, layer)
    expected = expected.swapaxes(1, 2) if axis == 1 else expected
    np.testing.assert_allclose(model(TOKENS), expected, atol=1e-5)


def test_sequences_of_rank_three():
    layer = SelfAttention(num_heads=4)
    model = drawn(layer, TOKENS[0].shape)
    np.testing.assert_allclose(model(TOKENS[0]), attention(TOKENS[0], layer), atol=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: SelfAttention(0), "`num_heads` must be a positive integer. Received: num_heads=0"),
        (lambda: SelfAttention(2, axis=3), "`axis` must be 1 or 2. Received: axis=3"),
        (lambda: SelfAttention(3)(TOKENS), "Received: num_heads=3, channels=8"),
        (lambda: SelfAttention(2, axis=2)(TOKENS[0]), r"input_shape=\(3, 5, 8\), axis=2"),
        (lambda: DividedSpaceTimeAttention(0, 2), "Received: num_frames=0"),
        (lambda: DividedSpaceTimeAttention(3, 2)(TOKENS[0]), r"Received: input_shape=\(3, 5, 8\)"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def divided(**arguments):
    layer = DividedSpaceTimeAttention(num_frames=3, num_heads=2, **arguments)
    layer(np.zeros((1, 16, 8), "float32"))
    for weight in layer.weights:
        generator = np.random.default_rng(len(weight.path))
        if not weight.path.endswith("gamma"):
            weight.assign(generator.normal(size=weight.shape) / 3)
    return layer


def sequence():
    classes = np.random.default_rng(1).normal(size=(2, 1, 8)).astype("float32")
    return np.concatenate([classes, TOKENS.reshape(2, 15, 8)], axis=1)


@pytest.mark.parametrize("lowered", [False, True])
def test_attention_over_time_then_within_frames(lowered):
    layer, x = divided(), sequence()
    token = lowered_for_cpu.set(lowered)
    actual = keras.ops.convert_to_numpy(layer(x))
    lowered_for_cpu.reset(token)

    betas = [n.beta.numpy() for n in (layer.temporal_norm, layer.spatial_norm)]
    dense = layer.temporal_dense
    patches = x[:, 1:].reshape(TOKENS.shape)
    changes = attention(norm(patches).swapaxes(1, 2) + betas[0], layer.temporal).swapaxes(1, 2)
    patches = patches + changes @ dense.kernel.numpy() + dense.bias.numpy()
    classes = np.repeat(x[:, None, :1], 3, axis=1)
    frames = np.concatenate([classes, patches], axis=2)
    changes = attention(norm(frames) + betas[1], layer.spatial)
    frames = frames + changes
    np.testing.assert_allclose(actual[:, 0], frames[:, :, 0].mean(1), atol=1e-4)
    np.testing.assert_allclose(actual[:, 1:], frames[:, :, 1:].reshape(2, 15, 8), atol=1e-4)


def test_rematerialised_training_draws_once():
    """With other draws on the way back, gradients would belong to another network."""
    import tensorflow as tf

    x = tf.constant(sequence())
    gradients = []
    for remat in (False, True):
        keras.utils.set_random_seed(0)
        layer = divided(drop_path=0.5, remat=remat)

        @tf.function(autograph=False)
        def step(x, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(layer(x, training=True) ** 2)
            return loss, tape.gradient(loss, [x, *layer.trainable_weights])

        gradients.append(tf.nest.flatten(step(x)))
    for plain, again in zip(*gradients, strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-4, atol=1e-4)
