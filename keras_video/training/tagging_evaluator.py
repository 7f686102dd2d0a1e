"""`TaggingEvaluator`: loss, Hit@1, PERR, GAP and mAP of a tagger, exact over a data set."""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from keras_video.metrics.predictions import checked_labels
from keras_video.metrics.tagging_scores import TaggingScores, checked_weights
from keras_video.training.replicas import (
    batch_length,
    gathering_workers,
    local_replicas,
    share_out,
    summing_workers,
)


class TaggingEvaluator:
    """Evaluates a model of several labels a video on every video of a data set, each counted once.

    The result does not depend on the batch size, the replicas or the workers: videos that only fill
    up the last batch weigh nothing, and GAP and mAP rank the predictions of all videos of all
    workers together. A video that could not be read, or whose answer is no number, counts with its
    labels, as one for which nothing was predicted.

    **Memory** is the host's: by default 5 bytes for each video and class, because mAP ranks them
    all; with `map_top_k=20` 180 bytes a video, whatever the classes (see `TaggingScores`).

    Args:
        model: takes the inputs, returns logits `(batch, num_classes)`; made under `strategy`.
        data: batches `(inputs, labels)` or `(inputs, labels, weights)`, labels `(batch,
            num_classes)` of 0 and 1: a `FeatureDataset`, `VideoDataset` or `ArrayDataset` that is
            not for training, this worker's shard of it. With more than one replica it must pad its
            last batch.
        strategy: by default the model's.
        top_k: predictions of each video that count in GAP. Defaults to 20.
        map_top_k: those that count in mAP, by default all; 20 in the code of YouTube-8M.

    Attributes:
        average_precisions: `(num_classes,)` after an evaluation, NaN for classes that no video has.
        positives: `(num_classes,)` after an evaluation, how many videos have each class.

    Raises:
        ValueError: the data set drops its last batch, or arguments are out of range.

    Example:

    >>> evaluator = keras_video.training.TaggingEvaluator(model, validation_data)
    >>> evaluator.evaluate()
    {"gap": 0.863, "hit_at_one": 0.8905, "perr": 0.8049, "map": 0.41, "loss": 9.2}
    >>> evaluator.average_precisions.shape
    (3862,)
    """

    numbers = ("gap", "hit_at_one", "perr", "map", "loss")

    def __init__(
        self,
        model: keras.Model,
        data: Iterable,
        strategy: tf.distribute.Strategy | None = None,
        top_k: int = 20,
        map_top_k: int | None = None,
    ):
        self.model, self.data = model, data
        self.strategy = strategy or model.distribute_strategy
        if getattr(data, "last_batch", None) == "drop":
            raise ValueError(
                'Evaluation needs every video: make the data set with `last_batch="pad"`. '
                'Received: last_batch="drop"'
            )
        self.top_k, self.map_top_k = top_k, map_top_k
        self.average_precisions = self.positives = None
        self._new_scores()
        self._answer = tf.function(
            lambda inputs: self.strategy.run(self._logits, args=(inputs,)), autograph=False
        )
        self._sum, self._gather = summing_workers(self.strategy), gathering_workers(self.strategy)

    def evaluate(self) -> dict[str, float]:
        """Evaluates the model as it is.

        Returns:
            `gap`, `hit_at_one`, `perr` and `map` from 0 to 1 (`gap` and `map` are NaN if there is
            no label at all); `loss`, the mean over videos of their cross entropy, a sum over
            classes, without label smoothing.

        Raises:
            ValueError: there was no video, or labels are no rows of 0 and 1.
        """
        scores, loss, pending = self._new_scores(), 0.0, None
        for index, batch in enumerate(self.data):
            answer = self._answer(share_out((batch[0],), self.strategy))
            # The host counts a batch while the device is busy with the next one.
            if pending is not None:
                loss += self._count(scores, *pending)
            pending = (index, batch, answer)
        if pending is not None:
            loss += self._count(scores, *pending)
        loss, scores = float(self._sum(loss)), self._of_all_workers(scores)
        result = scores.result()
        self.average_precisions, self.positives = scores.per_class(), scores.totals[3:]
        return {**result, "loss": loss / float(scores.totals[0])}

    def _new_scores(self) -> TaggingScores:
        return TaggingScores(self.model.output_shape[-1], self.top_k, self.map_top_k)

    def _logits(self, inputs: tuple) -> tf.Tensor:
        return tf.cast(self.model(inputs[0], training=False), "float32")

    def _count(self, scores: TaggingScores, index: int, batch: tuple, answer) -> float:
        """Adds the scores of a batch; gives its loss."""
        inputs, labels, *weights = self._checked(batch)
        parts = self.strategy.experimental_local_results(answer)
        logits = np.empty((len(labels), parts[0].shape[-1]), np.float32)
        for replica, part in enumerate(parts):
            logits[replica :: local_replicas(self.strategy)] = part.numpy()
        weights = checked_weights(weights[0] if weights else None, len(labels))
        counted = weights > 0
        values, positive = logits[counted].astype(np.float64), checked_labels(labels[counted])
        with np.errstate(invalid="ignore"):  # NaN stays NaN.
            losses = np.logaddexp(0.0, np.where(positive, -values, values)).sum(axis=1)
        answered = ~np.isnan(logits).any(axis=1) & self._readable(index, inputs)
        logits[~answered] = -np.inf
        scores.update(labels, logits, weights)
        return float(weights[counted] @ losses)

    def _checked(self, batch: tuple) -> tuple:
        classes = self.model.output_shape[-1]
        shape = np.shape(batch[1]) if len(batch) > 1 else None
        if shape is None or len(shape) != 2 or shape[1] != classes:
            raise ValueError(
                f"Labels must be rows of 0 and 1, one number for each of the {classes} classes. "
                f"Received: {'no labels' if shape is None else f'labels of shape {shape}'}"
            )
        return batch

    def _readable(self, index: int, inputs) -> np.ndarray:
        """False for the zeros that stand for a video that could not be read."""
        readable = np.ones(batch_length((inputs,)), bool)
        failed = [failure.index for failure in getattr(self.data, "failures", ())]
        if failed:
            for place in np.flatnonzero(np.isin(self.data.record_indices(index), failed)):
                readable[place] = any(np.any(part[place]) for part in tf.nest.flatten(inputs))
        return readable

    def _of_all_workers(self, scores: TaggingScores) -> TaggingScores:
        if self.strategy.num_replicas_in_sync == local_replicas(self.strategy):
            return scores
        totals, together = self._sum(scores.totals), self._new_scores()
        rows = scores.rows() if len(scores) else np.zeros((0, scores.width), np.float32)
        for part in self._gather(rows):
            together.add(part, np.zeros_like(totals))
        together.totals = totals
        return together
