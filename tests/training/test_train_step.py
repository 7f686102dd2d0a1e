"""`TrainStep` and `enable`: one step, in a loop of one's own and in `model.fit`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.run_trainer import CLASSES
from training.run_trainer import clips as colour_clips
from training.trajectories import SHAPE, build

from keras_video.training import SGD, Distillation, TrainStep, enable, train_step
from keras_video.training.precise_batch_norm import averaging_statistics
from keras_video.training.replicas import share_out, summed
from keras_video.training.run_state import spread_seeds


def clips(count: int):
    return colour_clips(count, shape=SHAPE)


def compiled(optimizer=None, dtype="float32", **options):
    model = build(dtype)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or SGD(0.05), loss, metrics=["accuracy"], **options)
    return model


def arrays(model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(v) for v in model.weights]


@pytest.mark.parametrize("options", [{}, {"xla": True}, {"accumulate": 2}], ids=str)
def test_fit_trains_with_the_step(options):
    model = enable(compiled(), **options)
    history = model.fit(*clips(24), batch_size=8, epochs=6, shuffle=False, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert set(history) == {"loss", "accuracy"}


def test_fit_with_the_step_equals_fit_without():
    ours, plain = enable(compiled()), compiled()
    for model in (ours, plain):
        history = model.fit(*clips(24), batch_size=8, epochs=2, shuffle=False, verbose=0).history
    assert ours.evaluate(*clips(8), verbose=0) == pytest.approx(
        plain.evaluate(*clips(8), verbose=0), rel=1e-3
    )
    assert history["loss"][0] > 0


def test_fit_accumulates_over_two_replicas(two_replicas):
    with two_replicas.scope():
        replicated = enable(compiled(SGD(0.05, global_clipnorm=0.5)), accumulate=2)
    single = enable(compiled(SGD(0.05, global_clipnorm=0.5)))
    losses = [
        model.fit(*clips(24), batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
        for model in (replicated, single)
    ]
    # Micro-batches have their own batch statistics, so the losses are near, not equal.
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.2)


@pytest.mark.parametrize("clip", ["global_clipnorm", "clipnorm", "clipvalue"])
def test_gradients_are_summed_over_replicas_before_they_are_clipped(clip, two_replicas):
    def train(strategy):
        with strategy.scope():
            model = compiled(SGD(0.1, **{clip: 0.01}))
            model.optimizer.build(model.trainable_variables)
        replicas = strategy.num_replicas_in_sync
        step = TrainStep(model)
        function = summed(strategy, lambda batch: step(batch)[0] / replicas)
        for _ in range(2):
            function(share_out(clips(8), strategy))
        return arrays(model)

    for one, two in zip(train(tf.distribute.get_strategy()), train(two_replicas), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5)


def test_an_overflow_on_any_replica_skips_the_update_of_all(two_replicas):
    with two_replicas.scope():
        model = compiled(dtype="mixed_float16")
        model.optimizer.build(model.trainable_variables)
    before = [keras.ops.convert_to_numpy(v) for v in model.trainable_weights]
    scale = float(keras.ops.convert_to_numpy(model.optimizer.dynamic_scale))
    step = TrainStep(model)
    function = summed(two_replicas, lambda batch: step(batch)[0])
    batch, labels = clips(8)
    batch = batch.astype("float32")
    batch[1] = np.inf  # that clip goes to the second replica
    function(share_out((batch, labels), two_replicas))
    for old, variable in zip(before, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), old)
    assert float(keras.ops.convert_to_numpy(model.optimizer.dynamic_scale)) == scale / 2


def test_a_teacher_must_be_on_all_replicas(two_replicas):
    with two_replicas.scope():
        model = compiled()
        near = build("float32")
    TrainStep(model, distillation=Distillation(near))
    with pytest.raises(ValueError, match="with strategy.scope"):
        TrainStep(model, distillation=Distillation(build("float32")))


def test_replicas_drop_other_features(two_replicas):
    with two_replicas.scope():
        inputs = keras.Input((50,))
        model = keras.Model(inputs, keras.layers.Dropout(0.5, seed=1)(inputs))
    ones = two_replicas.experimental_distribute_values_from_function(lambda _: tf.ones((4, 50)))

    def masks():
        run = tf.function(lambda: two_replicas.run(lambda x: model(x, training=True), (ones,)))
        return [mask.numpy() for mask in two_replicas.experimental_local_results(run())]

    first, second = masks()
    np.testing.assert_array_equal(first, second)
    spread_seeds(model)
    first, second = masks()
    assert (first != second).any()


def test_statistics_of_replicas_are_averaged(two_replicas):
    with two_replicas.scope():
        inputs = keras.Input((3,))
        norm = keras.layers.BatchNormalization(momentum=0.0)
        model = keras.Model(inputs, norm(inputs))
    batch = np.arange(24, dtype="float32").reshape(8, 3) ** 2
    train = tf.function(lambda x: two_replicas.run(lambda x: model(x, training=True), (x,)))
    train(share_out((batch,), two_replicas)[0])
    averaging_statistics(model)()
    means = [v.numpy() for v in two_replicas.experimental_local_results(norm.moving_mean.value)]
    np.testing.assert_allclose(means[0], batch.mean(0), rtol=1e-5)
    np.testing.assert_allclose(means[1], batch.mean(0), rtol=1e-5)


def test_xla_is_not_for_layers_that_it_cannot_compile(monkeypatch):
    """On GPUs Keras' LSTM says so: it is cuDNN's."""
    monkeypatch.setattr(train_step, "_has_accelerator", lambda: True)
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2)])
    model.compile("sgd", "mse")
    assert TrainStep(model).xla is True and TrainStep(model, xla=False).xla is False
    model.layers[0].supports_jit = False
    assert TrainStep(model).xla is False and TrainStep(model, xla=True).xla is True


def test_weights_of_clips_count():
    model = compiled()
    step = tf.function(TrainStep(model), autograph=False)
    batch, labels = clips(8)
    weights = np.array([1, 1, 1, 1, 0, 0, 0, 0], "float32")
    loss, outputs = step((batch, labels, weights))
    losses = keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)
    np.testing.assert_allclose(loss, np.sum(losses[:4]) / 8, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "Received: accumulate=0"),
        ({"accumulate": True}, "Received: accumulate=True"),
        ({"xla": "yes"}, "Received: xla='yes'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        TrainStep(compiled(), **options)


def test_the_model_must_be_compiled():
    with pytest.raises(ValueError, match="call `model.compile"):
        enable(build("float32"))


def test_a_batch_that_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="8 clips, accumulate=3"):
        TrainStep(compiled(), accumulate=3)(tuple(map(tf.constant, clips(8))))


def test_classes_of_the_clips_are_learnable():
    # The other tests rest on it.
    batch, labels = clips(9)
    assert (batch.mean(axis=(1, 2, 3)).argmax(-1) == labels).all() and labels.max() == CLASSES - 1
