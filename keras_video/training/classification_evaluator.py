"""`ClassificationEvaluator`: loss and top-k of a classifier, exact over a data set."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from keras_video.training.replicas import share_out, summed


class ClassificationEvaluator:
    """Evaluates a classifier on every clip of a data set, each counted once.

    The result does not depend on the batch size, the replicas or the workers: clips that only fill
    up the last batch weigh nothing, and what is added up are counts. A video that could not be read
    counts as wrong.

    Args:
        model: takes clips, returns logits `(batch, num_classes)`; made under `strategy`.
        data: batches `(clips, labels)` or `(clips, labels, weights)`, labels as class numbers
            `(batch,)` or one-hot: a `VideoDataset` or `ArrayDataset` that is not for training, this
            worker's shard of it. With more than one replica it must pad its last batch.
        strategy: by default the model's.

    Raises:
        ValueError: the data set drops its last batch.

    Example:

    >>> ClassificationEvaluator(model, validation_data).evaluate()
    {"loss": 0.93, "top1": 0.7454, "top5": 0.9211}
    """

    numbers = ("loss", "top1", "top5")

    def __init__(
        self, model: keras.Model, data: Iterable, strategy: tf.distribute.Strategy | None = None
    ):
        self.model, self.data = model, data
        self.strategy = strategy or model.distribute_strategy
        if getattr(data, "last_batch", None) == "drop":
            raise ValueError(
                'Evaluation needs every clip: make the data set with `last_batch="pad"`. '
                'Received: last_batch="drop"'
            )
        self._count = summed(self.strategy, self._totals)

    @property
    def k(self) -> int:
        """5, or the number of classes where there are fewer."""
        return min(5, self.model.output_shape[-1])

    def evaluate(self) -> dict[str, float]:
        """Evaluates the model as it is.

        Returns:
            `loss`, the mean cross entropy without label smoothing; `top1` and `top5` from 0 to 1
            (`top5` counts the first `k` answers).

        Raises:
            ValueError: there was no clip.
        """
        totals = tf.zeros(4, "float64")
        for index, (clips, labels, *weights) in enumerate(self.data):
            weights = weights[0] if weights else np.ones(len(labels), "float32")
            batch = (clips, labels, weights, self._readable(index, clips))
            totals += self._count(share_out(batch, self.strategy))
        loss, first, among, clips = (float(total) for total in totals)
        if not clips:
            raise ValueError("There is nothing to evaluate. Received: no clips")
        return {"loss": loss / clips, "top1": first / clips, "top5": among / clips}

    def _readable(self, index: int, clips: np.ndarray) -> np.ndarray:
        """0 for the black clips of videos that could not be read, which no answer makes right."""
        readable = np.ones(len(clips), "float32")
        failed = [failure.index for failure in getattr(self.data, "failures", ())]
        if failed:
            for place in np.flatnonzero(np.isin(self.data.record_indices(index), failed)):
                readable[place] = np.any(clips[place])
        return readable

    def _totals(self, batch: tuple) -> tf.Tensor:
        clips, labels, weights, readable = batch
        logits = tf.cast(self.model(clips, training=False), "float32")
        if labels.shape.rank == 2:
            labels = tf.argmax(labels, axis=-1)
        labels = tf.cast(labels, "int32")
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # Of equal answers the lower class number comes first, as in `argmax`.
        right = tf.gather(logits, labels, batch_dims=1)[:, None]
        before = tf.range(logits.shape[-1])[None] < labels[:, None]
        ahead = (logits > right) | ((logits == right) & before)
        place = tf.reduce_sum(tf.cast(ahead, "int32"), axis=-1)
        # An answer that is no number is wrong.
        answered = tf.reduce_all(tf.math.is_finite(logits), -1) & (readable > 0)
        place = tf.where(answered, place, logits.shape[-1])
        counts = [losses, tf.cast(place < 1, "float32"), tf.cast(place < self.k, "float32")]
        counts = tf.stack([*counts, tf.ones_like(losses)])
        # Black clips of weight 0 must not count even where their loss is infinite.
        weights = tf.cast(weights, "float32")[None]
        counts = tf.where(weights > 0, counts * weights, 0.0)
        return tf.cast(tf.reduce_sum(counts, axis=-1), "float64")
