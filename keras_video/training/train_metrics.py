"""`TrainMetrics`: the metrics that a model was compiled with, over replicas and workers."""

import logging

import keras
import numpy as np
import tensorflow as tf

from keras_video.training.replicas import share_out, summed


class TrainMetrics:
    """Updates a compiled model's metrics in a replica, and reads them over all replicas.

    Args:
        model: compiled under `strategy`; its loss is not among these metrics.
        strategy: that of the training.

    Example:

    >>> metrics = TrainMetrics(model, strategy)
    >>> metrics.update((clips, labels), model(clips))  # in a replica
    >>> metrics.take()
    {"accuracy": 0.75}
    """

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy):
        self._model, self._strategy = model, strategy
        self._read = summed(strategy, self._values)
        self._built = False

    def build(self, shares: tuple) -> None:
        """Makes the metrics' variables, from a clip of the first batch.

        A function over replicas cannot make them, and any other would be traced twice for it.
        """
        if self._built:
            return
        logger = tf.get_logger()
        # It warns that this is slow, which it is: once.
        level, logger.level = logger.level, logging.ERROR
        try:
            self._strategy.run(self._update_by_one_clip, (shares,))
        finally:
            logger.level = level
        self._model.reset_metrics()
        self._built = True

    def update(self, batch: tuple, outputs) -> None:
        """Takes a replica's share of a batch into account."""
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        self._model.compute_metrics(x, y, outputs, weights)

    def _update_by_one_clip(self, batch: tuple) -> None:
        batch = tf.nest.map_structure(lambda part: part[:1], batch)
        self.update(batch, self._model(batch[0], training=False))

    def take(self) -> dict[str, float]:
        """The metrics since the last time, as means over the replicas; starts anew."""
        metrics = self._metrics()
        if not metrics:
            return {}
        replicas = self._strategy.num_replicas_in_sync
        nothing = share_out((np.zeros(replicas),), self._strategy)
        values = self._read(nothing).numpy() / replicas
        self._model.reset_metrics()
        return {m.name: float(value) for m, value in zip(metrics, values, strict=True)}

    def _values(self, _) -> tf.Tensor:
        return tf.stack([tf.cast(m.result(), "float32") for m in self._metrics()])

    def _metrics(self) -> list:
        known = {}
        for metric in self._model.metrics:
            for part in getattr(metric, "metrics", None) or [metric]:
                if part.name != "loss":
                    known[part.name] = part
        return list(known.values())
