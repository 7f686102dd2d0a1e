"""`TaggingScores`: the metrics of tagging, from batch after batch, exact over all of them."""

import numpy as np

from keras_video.metrics.average_precision import signed_average_precision
from keras_video.metrics.average_precision_per_class import ranked_by_class
from keras_video.metrics.hit_at_one import hits
from keras_video.metrics.perr import most_labels, precisions_at_equal_recall
from keras_video.metrics.predictions import check_top_k, checked_predictions, top_classes


class TaggingScores:
    """Collects labels and scores of videos; gives Hit@1, PERR, GAP and the precision of each class.

    The results are those of `hit_at_one`, `perr`, `global_average_precision` and
    `average_precision_per_class` on all videos at once, however they came in batches and in which
    order. A score of `-inf` is no prediction.

    **Memory.** Average precision ranks all predictions, so they are kept on the host: by default
    every score, 5 bytes for each video and class (500 MB for 100,000 videos of 1000 classes). With
    `map_top_k=20` only the 20 best of each video, 180 bytes a video (200 MB for the 1.1 million
    validation videos of YouTube-8M); mAP is then that of the official code, the others are the
    same. `result` takes several times as much while it computes.

    Args:
        num_classes: number of classes.
        top_k: predictions of each video that count in GAP. Defaults to 20.
        map_top_k: those that count in the precision of the classes; by default all.

    Raises:
        ValueError: arguments, labels or scores that are not possible.

    Example:

    >>> scores = TaggingScores(num_classes=2)
    >>> scores.update([[1, 0]], [[0.9, 0.2]])
    >>> scores.update([[0, 1]], [[0.8, 0.4]])
    >>> scores.result()
    {'gap': 0.8333333333333333, 'hit_at_one': 0.5, 'perr': 0.5, 'map': 1.0}
    """

    def __init__(self, num_classes: int, top_k: int = 20, map_top_k: int | None = None):
        check_top_k(top_k)
        if map_top_k is not None:
            check_top_k(map_top_k)
        self.num_classes, self.top_k, self.map_top_k = num_classes, top_k, map_top_k
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        # Weight of the videos, of their hits and precisions; weight of each class' positives.
        self.totals = np.zeros(3 + self.num_classes)
        self._kept: list[tuple] = []

    def update(self, labels, scores, weights=None) -> None:
        """Takes a batch into account.

        Args:
            labels: `(batch, classes)`, 0 or 1.
            scores: `(batch, classes)`, probabilities or logits; kept as float32.
            weights: `(batch,)`, how often each video counts: 0 for those that only fill up a batch.
        """
        labels, scores = checked_predictions(labels, scores)
        if labels.shape[1] != self.num_classes:
            raise ValueError(
                f"There must be a column for each of the {self.num_classes} classes. "
                f"Received: labels of shape {labels.shape}"
            )
        scores, weights = scores.astype(np.float32), checked_weights(weights, len(labels))
        if not weights.all():
            labels, scores, weights = (part[weights > 0] for part in (labels, scores, weights))
        best = top_classes(scores, max(self.top_k, self.map_top_k or 0, most_labels(labels)))
        self.totals[0] += weights.sum()
        self.totals[1] += weights @ hits(labels, scores, best)
        self.totals[2] += weights @ precisions_at_equal_recall(labels, scores, best)
        videos, classes = np.nonzero(labels)
        np.add.at(self.totals[3:], classes, weights[videos])
        if self.map_top_k is None:
            self._kept.append((weights, scores, labels, None))
            return
        best = best[:, : self._predictions]
        of_best = (np.take_along_axis(part, best, axis=1) for part in (scores, labels))
        self._kept.append((weights, *of_best, best.astype(np.int32)))

    def rows(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """What is kept of the videos `start` to `stop` - 1, as one array that `add` takes.

        Together with `totals` it is all that another process needs.
        """
        weights, *parts = self._merged()
        parts = [part[start:stop] for part in (weights[:, None], *parts) if part is not None]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def add(self, rows: np.ndarray, totals: np.ndarray) -> None:
        """Adds the `rows` and `totals` of other videos, such as those of another process."""
        self.totals = self.totals + totals
        kept = self._predictions
        weights, scores, labels, classes = np.split(rows, [1, 1 + kept, 1 + 2 * kept], axis=1)
        best = None if self.map_top_k is None else classes.astype(np.int32)
        self._kept.append((weights[:, 0], scores, labels > 0, best))

    @property
    def width(self) -> int:
        """Numbers that `rows` has for each video."""
        return 1 + (2 if self.map_top_k is None else 3) * self._predictions

    @property
    def _predictions(self) -> int:
        """Predictions that are kept of each video."""
        if self.map_top_k is None:
            return self.num_classes
        return min(max(self.top_k, self.map_top_k), self.num_classes)

    def __len__(self) -> int:
        """Number of videos that are kept."""
        return sum(len(weights) for weights, *_ in self._kept)

    def result(self) -> dict[str, float]:
        """The metrics of all videos.

        Returns:
            `gap`, `hit_at_one`, `perr` and `map`, from 0 to 1; `gap` and `map` are NaN where no
            video has a label.

        Raises:
            ValueError: there was no video.
        """
        count, hit, precision = self.totals[:3]
        if not count:
            raise ValueError("There is nothing to evaluate. Received: no videos")
        classes = self.per_class()
        known = classes[~np.isnan(classes)]
        return {
            "gap": self.gap(),
            "hit_at_one": float(hit / count),
            "perr": float(precision / count),
            "map": float(known.mean()) if len(known) else float("nan"),
        }

    def gap(self) -> float:
        """The global average precision of all videos."""
        if not self._kept:
            return float("nan")
        scores, signed = [], []
        for weights, values, labels, classes in self._kept:
            if classes is None:
                best = top_classes(values, self.top_k)
                values, labels = (np.take_along_axis(p, best, axis=1) for p in (values, labels))
            values, labels = values[:, : self.top_k], labels[:, : self.top_k]
            scores.append(values.ravel())
            signed.append((np.where(labels, 1.0, -1.0) * weights[:, None]).ravel())
        positives = self.totals[3:].sum()
        return signed_average_precision(np.concatenate(scores), np.concatenate(signed), positives)

    def per_class(self) -> np.ndarray:
        """The average precision of each class, NaN for classes that no video has."""
        if not self._kept:
            return np.full(self.num_classes, np.nan)
        weights, scores, labels, classes = self._merged()
        if classes is not None:
            scores, labels, classes = (p[:, : self.map_top_k] for p in (scores, labels, classes))
        signed = np.where(labels, weights[:, None], -weights[:, None])
        return ranked_by_class(scores, signed, classes, self.totals[3:])

    def _merged(self) -> tuple:
        """All that is kept in one piece."""
        if not self._kept:
            raise ValueError("There is nothing to evaluate. Received: no videos")
        if len(self._kept) > 1:
            parts = zip(*self._kept, strict=True)
            self._kept = [tuple(None if p[0] is None else np.concatenate(p) for p in parts)]
        return self._kept[0]


def checked_weights(weights, count: int) -> np.ndarray:
    """Returns a weight from 0 for each video, 1 where there are none.

    Raises:
        ValueError: another number of weights, or negative ones.
    """
    if weights is None:
        return np.ones(count, np.float32)
    weights = np.asarray(weights, np.float32)
    if weights.shape == (count, 1):
        weights = weights[:, 0]
    if weights.shape != (count,) or not (weights >= 0).all():
        raise ValueError(
            "There must be a weight from 0 for each video. "
            f"Received: weights of shape {weights.shape} for {count} videos"
        )
    return weights
