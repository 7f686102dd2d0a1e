"""`RankingMetric`: the base of Keras metrics that rank the predictions of all videos."""

import keras
import numpy as np
from keras import ops

from keras_video import _compat
from keras_video.metrics.score_tensors import positives, predicted

_DEFAULT_BYTES = 32 * 2**20


class RankingMetric(keras.metrics.Metric):
    """Keeps the predictions of all videos of an epoch, and ranks them in the end.

    A ranking can't be summed up in a few numbers without losing its exactness, and what runs in a
    compiled step, also within XLA and on every backend, can only change variables of a fixed size.
    So the predictions go to variables for `capacity` videos, in which each replica has its own
    rows: their sum over replicas, which Keras forms in the end, is all of them. The metric itself
    is then computed on the host, in float64.

    During an epoch Keras asks in every step for a number to show. A ranking of everything so far
    would cost more than the step; it gets the mean of the batches' own values. (On torch steps are
    not compiled, and each is told the exact value.)

    Subclasses give `value_of_kept`.

    Args:
        width: predictions of each video that are kept.
        with_classes: whether their classes are kept, too.
        num_classes: to count the positives of each class; or 1, to count all together.
        capacity: videos in an epoch, at most; padding included. By default what 32 MB hold.
        name: of the metric.
        dtype: of its result.
    """

    def __init__(
        self,
        width: int,
        with_classes: bool,
        num_classes: int,
        capacity: int | None,
        name: str,
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        least = isinstance(capacity, int) and not isinstance(capacity, bool) and capacity >= 1
        if capacity is not None and not least:
            raise ValueError(
                "`capacity` must be a whole number of videos from 1. "
                f"Received: capacity={capacity!r}"
            )
        self._direction = "up"
        self.capacity, self._width = capacity, width
        replicas = _compat.num_replicas()
        videos = capacity or max(1024, _DEFAULT_BYTES // (4 * width * (3 if with_classes else 2)))
        self._rows = -(-videos // replicas)  # of a replica
        shape = (self._rows * replicas, width)
        self._scores = self.add_variable(shape, "zeros", "float32", name="scores")
        # A positive's weight, a negative's weight times -1; 0 where there is nothing.
        self._signed = self.add_variable(shape, "zeros", "float32", name="signed")
        self._classes = None
        if with_classes:
            self._classes = self.add_variable(shape, "zeros", "int32", name="classes")
        self._positives = self.add_variable((num_classes,), "zeros", "float32", name="positives")
        self._used = self.add_variable((replicas,), "zeros", "int32", name="used")
        # The sum of batches' own values, and their number.
        self._shown = self.add_variable((2,), "zeros", "float32", name="shown")

    def update_state(self, labels, scores, sample_weight=None):
        """Takes a batch into account.

        Args:
            labels: `(batch, classes)`, 0 or 1; soft targets count from 0.5 on.
            scores: `(batch, classes)`, probabilities or logits. NaN and `-inf` are no predictions.
            sample_weight: `(batch,)`, how often each video counts. Keras hands it to
                `weighted_metrics` only.
        """
        labels, scores = positives(labels), predicted(scores)
        weights = ops.ones_like(scores[:, :1])
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        counts = ops.sum(labels * weights, axis=0)
        if self._positives.shape[0] == 1:
            counts = ops.sum(counts, keepdims=True)
        elif self._positives.shape[0] != labels.shape[-1]:
            raise ValueError(
                f"{type(self).__name__} was made for {self._positives.shape[0]} classes. "
                f"Received: labels of shape {tuple(labels.shape)}"
            )
        self._positives.assign(self._positives + counts)
        classes = None
        if self._classes is not None or self._width < scores.shape[-1]:
            scores, classes = _compat.top_k(scores, min(self._width, scores.shape[-1]))
            labels = ops.take_along_axis(labels, classes, axis=-1)
        signed = (2.0 * labels - 1.0) * weights
        self._keep(scores, signed, classes)
        value = _rough_average_precision(ops.reshape(scores, (-1,)), ops.reshape(signed, (-1,)))
        self._shown.assign(self._shown + ops.stack([value, 1.0]))

    def _keep(self, scores, signed, classes) -> None:
        replica, replicas = _compat.replica_place(self._scores)
        used = self._used[replica]
        parts = {"_scores": scores, "_signed": signed}
        if self._classes is not None:
            parts["_classes"] = ops.cast(classes, "int32")
        count = ops.shape(scores)[0]
        # Beyond its rows a replica writes over the last of them: `result` refuses to answer then.
        first = replica * self._rows + ops.minimum(used, ops.maximum(self._rows - count, 0))
        for name, part in parts.items():
            variable, part = getattr(self, name), part[: self._rows]
            missing = self._width - part.shape[-1]
            if missing:
                part = ops.pad(part, [[0, 0], [0, missing]])
            variable.assign(ops.slice_update(variable.value, [first, 0], part))
        here = ops.cast(ops.arange(replicas) == replica, "int32")
        self._used.assign(self._used + here * ops.cast(count, "int32"))

    def result(self):
        """The exact value; within a step of Keras the mean of the batches' own values."""
        shown = ops.convert_to_tensor(self._shown)
        if not _compat.can_be_read(shown):
            return shown[0] / ops.maximum(shown[1], 1.0)
        return ops.convert_to_tensor(self._value(), self.dtype)

    def _value(self) -> float:
        scores, signed, classes, counts = self._kept()
        return self.value_of_kept(scores, signed, classes, counts)

    def value_of_kept(self, scores, signed, classes, positives) -> float:
        """The metric of what was kept.

        Args:
            scores: `(videos, predictions)`.
            signed: `(videos, predictions)`: weights, negative where the label is not there.
            classes: `(videos, predictions)`, or `None` if they are not kept.
            positives: weight of the positives, of each class or of all.
        """
        raise NotImplementedError(
            "A ranking metric defines `value_of_kept`, its value of what was kept. "
            f"Received: {type(self).__name__} without it"
        )

    def _kept(self) -> tuple:
        used = _array(self._used)
        if used.max() > self._rows:
            raise ValueError(
                f"{type(self).__name__} has no room for all videos: make it with `capacity`, the "
                f"number of videos in an epoch. Received: {used.sum()} videos, "
                f"capacity={self._rows * len(used)}"
            )
        rows = np.concatenate(
            [np.arange(count) + place * self._rows for place, count in enumerate(used)]
        )
        scores, signed = _array(self._scores)[rows], _array(self._signed)[rows]
        classes = None if self._classes is None else _array(self._classes)[rows]
        return scores, signed, classes, _array(self._positives).astype(np.float64)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "capacity": self.capacity}


def _array(variable) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(variable.value))


def _rough_average_precision(scores, signed):
    """Average precision of a batch, equal scores in any order; 0 without positives."""
    signed = ops.take(signed, ops.argsort(-scores))
    gain = ops.maximum(signed, 0.0)
    found, shown = ops.cumsum(gain), ops.cumsum(ops.abs(signed))
    precision = found / ops.maximum(shown, 1e-30)
    return ops.sum(gain * precision) / ops.maximum(ops.sum(gain), 1e-30)
