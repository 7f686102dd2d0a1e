"""Batches of a worker, shared among its replicas; numbers of replicas, brought together."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import tensorflow as tf


def is_several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes train with this one."""
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return several and strategy.num_replicas_in_sync > local_replicas(strategy)


def local_replicas(strategy: tf.distribute.Strategy) -> int:
    """The number of replicas of this process."""
    if strategy.num_replicas_in_sync == 1:
        return 1
    return len(strategy.extended.worker_devices)


def share_out(batch: tuple, strategy: tf.distribute.Strategy) -> tuple:
    """This worker's batch as its replicas take it, for `strategy.run`.

    Replica `r` of `n` gets every `n`-th clip from the `r`-th on. Data sets deal their shards in the
    same manner, so the first micro-batches of all replicas together are the first clips of the
    global batch, however many replicas and workers there are: batch statistics are then the same.

    Raises:
        ValueError: the batch cannot be divided among the replicas.
    """
    count = local_replicas(strategy)
    if strategy.num_replicas_in_sync == 1:
        return tf.nest.map_structure(tf.convert_to_tensor, tuple(batch))
    if batch_length(batch) % count:
        raise ValueError(
            "The batch of a worker must be a multiple of its replicas; pad or drop the last one "
            f"(`last_batch`). Received: {batch_length(batch)} clips for {count} replicas"
        )

    def of_replica(context):
        replica = context.replica_id_in_sync_group % count
        return tf.nest.map_structure(
            lambda part: tf.convert_to_tensor(part[replica::count]), tuple(batch)
        )

    return strategy.experimental_distribute_values_from_function(of_replica)


def batch_length(batch: tuple) -> int:
    """The number of clips in a batch of arrays, or of dicts or tuples of them."""
    return len(tf.nest.flatten(batch)[0])


def summed(
    strategy: tf.distribute.Strategy,
    function: Callable,
    tracing: Callable[[], AbstractContextManager] = nullcontext,
) -> Callable:
    """`function(batch) -> vector` on every replica, compiled; gives the sum of the vectors.

    Whenever it is traced, once for each shape of batches, this happens within `tracing()`.
    """

    @tf.function(autograph=False)
    def run(batch):
        with tracing():
            return strategy.reduce("SUM", strategy.run(function, args=(batch,)), axis=None)

    return run


def summing_workers(strategy: tf.distribute.Strategy) -> Callable:
    """A function that sums a number, or an array, over all workers; each must call it."""
    if not is_several_workers(strategy):
        return lambda value: value if np.ndim(value) else float(value)
    count = local_replicas(strategy)
    add = summed(strategy, lambda batch: batch[0])

    def total(value):
        values = np.zeros((count, *np.shape(value)))
        values[0] = value
        result = add(share_out((values,), strategy)).numpy()[0]
        return result if np.ndim(value) else float(result)

    return total


def gathering_workers(strategy: tf.distribute.Strategy, numbers: int = 2**22) -> Callable:
    """A function that gives all workers the rows of all of them.

    Each worker calls it with an array `(any number, width)` of float32, all with the same width.
    It is a generator of arrays: rows of other workers and its own, in no particular order.

    Args:
        strategy: of the workers.
        numbers: how many a worker sends at a time.
    """
    if not is_several_workers(strategy):
        return lambda array: iter([array])
    count, total = local_replicas(strategy), summing_workers(strategy)
    gather = tf.function(lambda batch: strategy.gather(batch[0], axis=0), autograph=False)

    def gathered(array: np.ndarray) -> Iterator[np.ndarray]:
        # A first column tells rows from what fills up.
        width = 1 + array.shape[1]
        size = max(1, numbers // (width * count)) * count
        while total(len(array)):
            part = np.zeros((size, width), np.float32)
            rows, array = array[:size], array[size:]
            part[: len(rows), 0], part[: len(rows), 1:] = 1, rows
            result = gather(share_out((part,), strategy)).numpy()
            yield result[result[:, 0] > 0, 1:]

    return gathered
