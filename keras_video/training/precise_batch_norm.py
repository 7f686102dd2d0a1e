"""`recompute_batch_norm`: exact statistics of batch normalisation for the weights as they are."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_video._compat import layers_in_order
from keras_video.training.replicas import share_out


def recompute_batch_norm(model: keras.Model, batches: Iterable) -> int:
    """Replaces the moving statistics of batch normalisation by averages over some batches.

    The moving statistics of training lag behind: they mix those of weights that have changed since.
    Here the weights stand still. Each batch passes through the model as in training, and the means
    and variances of the batches are averaged; after one batch they are that batch's. Nothing else
    in the model changes, and layers that are frozen keep their statistics.

    Under a strategy, every batch is divided among the replicas of this process and the statistics
    are averaged over all replicas; all workers must bring equally many batches.

    Args:
        model: any model, made under the strategy that trains it.
        batches: finitely many batches as for training: `(clips, labels)`, or clips alone; usually
            200 of them, drawn as in training.

    Returns:
        The number of batches.

    Raises:
        ValueError: the model has no trainable batch normalisation; there is no batch, or one
            that can't be divided among the replicas. The statistics are then as before.

    Example:

    >>> batches = itertools.islice(train_data, 200)
    >>> keras_video.training.recompute_batch_norm(model, batches)
    200

    Reference: Wu and Johnson, "Rethinking 'Batch' in BatchNorm", section 3,
    https://arxiv.org/abs/2105.07576
    """
    norms = trainable_batch_norms(model)
    if not norms:
        raise ValueError(
            "There is nothing to recompute: the model has no trainable batch normalisation. "
            f"Received: {model.name!r}"
        )
    strategy = model.distribute_strategy
    statistics = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    # Dropout draws numbers in these passes; the states that it draws from are put back.
    kept = {id(v) for v in (*model.weights, *model.metrics_variables)}
    seeds = [v for v in model.non_trainable_variables if id(v) not in kept]
    before = [(v, v.numpy()) for v in (*statistics, *seeds)]

    @tf.function(autograph=False)
    def pass_through(clips, momentum):
        with momentum_of(norms, momentum):
            strategy.run(lambda clips: model(clips, training=True), args=clips)

    average_over_replicas = averaging_statistics(model)

    count = 0
    try:
        for variable in statistics:
            variable.assign(np.zeros(variable.shape))  # NaN times the momentum 0 would stay.
        for batch in batches:
            clips, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
            # moving * momentum + batch * (1 - momentum) is then the mean of the batches so far.
            momentum = tf.constant(count / (count + 1), "float32")
            pass_through(share_out((clips,), strategy), momentum)
            count += 1
        if count == 0:
            raise ValueError("There must be at least one batch. Received: no batches")
        average_over_replicas()
    except BaseException:
        _restore(before)
        raise
    _restore(before[len(statistics) :])
    return count


def averaging_statistics(model: keras.Model) -> Callable[[], None]:
    """A function that averages the moving statistics over all replicas; each worker calls it.

    Without synchronisation every replica has statistics of its own, of which a checkpoint or a
    preset could keep those of one only.
    """
    strategy = model.distribute_strategy
    norms = trainable_batch_norms(model)
    if strategy.num_replicas_in_sync == 1 or not norms:
        return lambda: None
    statistics = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]

    @tf.function(autograph=False)
    def average():
        strategy.run(_average, args=(statistics,))

    return average


def trainable_batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The layers whose statistics training changes, in the order of the network."""
    return [
        layer
        for layer in layers_in_order(model)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


@contextlib.contextmanager
def momentum_of(norms: list, momentum) -> Iterator[None]:
    """Sets the momentum of layers for a while."""
    usual = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = momentum
        yield
    finally:
        for norm, value in zip(norms, usual, strict=True):
            norm.momentum = value


def _average(variables: list) -> None:
    replica = tf.distribute.get_replica_context()
    # As one vector: one exchange between the replicas instead of hundreds.
    vector = tf.concat([tf.reshape(v.value, [-1]) for v in variables], axis=0)
    mean = replica.all_reduce("MEAN", vector)
    parts = tf.split(mean, [int(np.prod(v.shape)) for v in variables])
    for variable, part in zip(variables, parts, strict=True):
        variable.assign(tf.reshape(part, variable.shape))


def _restore(values: list) -> None:
    for variable, value in values:
        variable.assign(value)
