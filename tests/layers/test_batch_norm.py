"""`BatchNorm` with sub-batches; the rest of it is tested as part of `ConvNorm`."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.layers import BatchNorm

CHANNELS = 5
SHAPES = {"frames": (12, 4, 3, CHANNELS), "clips": (12, 2, 4, 3, CHANNELS), "rows": (12, CHANNELS)}


def clips(shape) -> np.ndarray:
    """Sub-batches that differ by more than the values of one."""
    random = np.random.default_rng(0)
    shift = np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    return (random.normal(size=shape) + shift).astype("float32")


def drawn(num_splits=1, shape=SHAPES["frames"], **arguments) -> BatchNorm:
    norm = BatchNorm(**arguments)
    norm.build(shape)
    random = np.random.default_rng(1)
    norm.set_weights([random.uniform(0.5, 1.5, CHANNELS) for _ in norm.weights])
    norm.num_splits = num_splits
    return norm


def parts_of_keras(inputs, num_splits):
    """Keras' own layer on one sub-batch after the other: outputs, and each one's statistics."""
    outputs, statistics = [], []
    for part in np.split(inputs, num_splits):
        norm = keras.layers.BatchNormalization(momentum=0.0, epsilon=1e-5)
        norm.build(part.shape)
        norm.set_weights(drawn(shape=part.shape).get_weights())
        outputs.append(np.asarray(norm(part, training=True)))
        statistics.append([np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)])
    return np.concatenate(outputs), *np.stack(statistics, axis=1)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("num_splits", [2, 3, 6])
def test_each_sub_batch_is_normalised_on_its_own(shape, num_splits):
    inputs = clips(shape)
    expected, means, variances = parts_of_keras(inputs, num_splits)
    norm = drawn(num_splits, shape)
    np.testing.assert_allclose(norm(inputs, training=True), expected, atol=1e-4)
    momentum, before = norm.momentum, drawn()
    for moving, old, batch in (
        (norm.moving_mean, before.moving_mean, means.mean(0)),
        (norm.moving_variance, before.moving_variance, variances.mean(0) + means.var(0)),
    ):
        merged = np.asarray(old) * momentum + batch * (1 - momentum)
        np.testing.assert_allclose(moving, merged, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_moving_statistics_are_those_of_the_whole_batch(shape):
    whole, split = drawn(1, shape), drawn(4, shape)
    for norm in (whole, split):
        norm(clips(shape), training=True)
    for one, other in zip(whole.get_weights(), split.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


ON_A_BACKEND = """
import sys
import numpy as np
from keras_video.layers import BatchNorm
norm = BatchNorm()
norm.build((None, 5))
norm.num_splits = 3
outputs = norm(np.load(sys.argv[1]), training=True)
np.savez(sys.argv[2], *[np.asarray(v.detach() if hasattr(v, "detach") else v)
                        for v in (outputs, norm.moving_mean.value, norm.moving_variance.value)])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_computes_the_same(backend, tmp_path):
    rows, results = tmp_path / "rows.npy", tmp_path / "results.npz"
    np.save(rows, clips(SHAPES["rows"]))
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", ON_A_BACKEND, rows, results], env=environment, check=True)
    here = BatchNorm()
    here.build(SHAPES["rows"])
    here.num_splits = 3
    expected = here(np.load(rows), training=True), here.moving_mean, here.moving_variance
    for theirs, ours in zip(np.load(results).values(), expected, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-4)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 2e-2)])
@pytest.mark.parametrize("xla", [False, True])
def test_gradients_are_those_of_the_sub_batches(dtype, tolerance, xla):
    inputs = clips(SHAPES["frames"])

    def gradients(norm, parts):
        @tf.function(autograph=False, jit_compile=xla)
        def run():
            x = tf.constant(inputs)
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = [
                    norm(tf.cast(part, norm.compute_dtype), training=True)
                    for part in tf.split(x, parts)
                ]
                loss = tf.reduce_sum(tf.sin(tf.cast(tf.concat(outputs, 0), "float32")))
            return tape.gradient(loss, [x, norm.gamma.value, norm.beta.value])

        return run()

    expected = gradients(drawn(), 3)
    for ours, theirs in zip(gradients(drawn(3, dtype=dtype), 1), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=tolerance * np.abs(theirs).max())


def test_evaluation_config_and_weights_know_nothing_of_sub_batches():
    one, three = drawn(1), drawn(3)
    inputs = clips(SHAPES["frames"])[:7]
    np.testing.assert_array_equal(one(inputs), three(inputs))
    assert {**one.get_config(), "name": ""} == {**three.get_config(), "name": ""}
    assert [v.path.rpartition("/")[2] for v in three.weights] == [
        "gamma", "beta", "moving_mean", "moving_variance"
    ]  # fmt: skip
    three.trainable = False
    np.testing.assert_array_equal(three(inputs, training=True), one(inputs))
    assert BatchNorm.from_config(three.get_config()).num_splits == 1


@pytest.mark.parametrize("num_splits", [1, 2, 3])
def test_synchronised_sub_batches_span_the_replicas(two_replicas, num_splits):
    inputs = clips(SHAPES["frames"])
    one = drawn(num_splits)
    with two_replicas.scope():
        both = drawn(num_splits, synchronized=True)
    # As `share_out` deals them.
    halves = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(inputs[context.replica_id_in_sync_group :: 2])
    )
    run = tf.function(lambda rows: two_replicas.run(lambda x: both(x, training=True), args=(rows,)))
    first, second = two_replicas.experimental_local_results(run(halves))
    outputs = np.stack([first, second], axis=1).reshape(inputs.shape)
    np.testing.assert_allclose(outputs, one(inputs, training=True), atol=1e-4)
    for ours, expected in zip(both.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_batch_that_cannot_be_cut_is_refused(shape):
    with pytest.raises(ValueError, match="Received: 12 rows, num_splits=5"):
        drawn(5, shape)(clips(shape), training=True)


def test_sub_batches_need_the_usual_arguments():
    with pytest.raises(ValueError, match="Received: num_splits=2"):
        drawn(2, scale=False)(clips(SHAPES["frames"]), training=True)
