"""Recomputed statistics are the averages of batches, and nothing else changes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.layers import ConvNorm
from keras_video.training import recompute_batch_norm


def make_model(synchronized=False):
    keras.utils.set_random_seed(0)
    clips = keras.Input((4, 4, 3))
    x = ConvNorm(4, 3, activation="relu", synchronized=synchronized, name="inner")(clips)
    x = keras.layers.Dropout(0.5, name="dropout")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.BatchNormalization(synchronized=synchronized, name="outer")(x)
    model = keras.Model(clips, keras.layers.Dense(2)(x))
    for norm in norms(model):
        norm.moving_mean.assign(np.full(4, 7.0))
        norm.moving_variance.assign(np.full(4, 9.0))
    return model


def norms(model):
    return [model.get_layer("inner").norm, model.get_layer("outer")]


def statistics(model):
    return np.array([[n.moving_mean.numpy(), n.moving_variance.numpy()] for n in norms(model)])


@pytest.fixture
def batches():
    generator = np.random.default_rng(0)
    sizes = (6, 6, 4)
    return [generator.normal(3, 2, (n, 4, 4, 3)).astype("float32") for n in sizes]


def batch_statistics(model, clips):
    """Mean and variance of what goes into the inner norm."""
    inner = model.get_layer("inner")
    outputs = np.asarray(keras.ops.conv(clips, inner.kernel, padding="same"))
    return np.array([outputs.mean((0, 1, 2)), outputs.var((0, 1, 2))])


def test_after_one_batch_they_are_that_batch_s(batches):
    model = make_model()
    model.get_layer("dropout").rate = 0.0
    assert recompute_batch_norm(model, [batches[0]]) == 1
    inner, outer = statistics(model)
    np.testing.assert_allclose(inner, batch_statistics(model, batches[0]), rtol=1e-5)
    reference = make_model()
    reference.get_layer("dropout").rate = 0.0
    for norm in norms(reference):
        norm.momentum = 0.0
    reference(batches[0], training=True)
    np.testing.assert_allclose([inner, outer], statistics(reference), rtol=1e-5)


def test_means_and_variances_are_averaged_over_batches(batches):
    model = make_model()
    labels = np.zeros(6)
    count = recompute_batch_norm(model, ((clips, labels[: len(clips)]) for clips in batches))
    assert count == 3
    expected = np.mean([batch_statistics(model, clips) for clips in batches], axis=0)
    np.testing.assert_allclose(statistics(model)[0], expected, rtol=1e-5)


def test_statistics_that_are_no_numbers_are_healed(batches):
    model = make_model()
    norms(model)[0].moving_mean.assign(np.full(4, np.nan))
    recompute_batch_norm(model, batches)
    assert np.isfinite(statistics(model)).all()


def test_nothing_else_changes(batches):
    model, untouched = make_model(), make_model()
    recompute_batch_norm(model, batches)
    assert [norm.momentum for norm in norms(model)] == [0.9, 0.99]
    for ours, theirs in zip(model.trainable_weights, untouched.trainable_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    draws = [np.asarray(m.get_layer("dropout").seed_generator.state) for m in (model, untouched)]
    np.testing.assert_array_equal(*draws)


def test_training_goes_on_from_the_new_statistics(batches):
    model = make_model()
    model.compile("sgd", "mse")
    recompute_batch_norm(model, batches)
    (mean, _), _ = before = statistics(model)
    model.fit(batches[0], np.zeros((6, 2)), verbose=0)
    expected = 0.9 * mean + 0.1 * batch_statistics(make_model(), batches[0])[0]
    np.testing.assert_allclose(statistics(model)[0, 0], expected, rtol=1e-4)
    assert not np.array_equal(statistics(model)[1], before[1])


def test_frozen_layers_keep_their_statistics(batches):
    model = make_model()
    model.get_layer("inner").trainable = False
    recompute_batch_norm(model, batches)
    assert (statistics(model)[0] == [[7], [9]]).all()
    assert not (statistics(model)[1] == [[7], [9]]).any()


@pytest.mark.parametrize("synchronized", [False, True])
def test_replicas_average_theirs(batches, two_replicas, synchronized):
    with two_replicas.scope():
        model = make_model(synchronized)
    recompute_batch_norm(model, batches)
    parts = [half for clips in batches for half in (clips[::2], clips[1::2])]
    expected = np.mean([batch_statistics(model, clips) for clips in parts], axis=0)
    if synchronized:
        expected = np.mean([batch_statistics(model, clips) for clips in batches], axis=0)
    np.testing.assert_allclose(statistics(model)[0], expected, rtol=1e-5)
    copies = two_replicas.experimental_local_results(norms(model)[0].moving_mean.value)
    np.testing.assert_array_equal(*copies)


def test_a_batch_that_cannot_be_divided(batches, two_replicas):
    with two_replicas.scope():
        model = make_model()
    with pytest.raises(ValueError, match="5 clips for 2 replicas"):
        recompute_batch_norm(model, [batches[0], batches[0][:5]])
    assert (statistics(model) == [[7], [9]]).all()


def test_no_batches_is_an_error(batches):
    model = make_model()
    with pytest.raises(ValueError, match="no batches"):
        recompute_batch_norm(model, [])
    assert (statistics(model) == [[7], [9]]).all()


def test_a_failure_on_the_way_leaves_everything_as_it_was(batches):
    def failing():
        yield batches[0]
        raise OSError("disk gone")

    model = make_model()
    with pytest.raises(OSError, match="disk gone"):
        recompute_batch_norm(model, failing())
    assert (statistics(model) == [[7], [9]]).all()


def test_a_model_without_batch_norm_is_an_error():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="plain")
    with pytest.raises(ValueError, match="nothing to recompute.*'plain'"):
        recompute_batch_norm(model, [tf.zeros((1, 2))])
