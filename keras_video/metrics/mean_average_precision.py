"""`MeanAveragePrecision`: mAP over classes, as a Keras metric."""

import keras
import numpy as np

from keras_video.metrics.average_precision_per_class import ranked_by_class
from keras_video.metrics.predictions import check_top_k
from keras_video.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_video")
class MeanAveragePrecision(RankingMetric):
    """The mean of `average_precision_per_class` over the classes that have a positive.

    As with `GlobalAveragePrecision`, the value at the end of an epoch is exact whatever the batches
    and replicas; the bar shows something rougher meanwhile (the average precision of a batch's
    predictions of all classes together); under a strategy the metric is made in its scope; and
    padded data wants it among the `weighted_metrics`.

    **Memory**: 8 bytes for each class of each of the `capacity` videos, on each device; with
    `top_k` 12 bytes for each of a video's `top_k` predictions. 10,000 videos of 3862 classes take
    309 MB, with `top_k=20` 2.4 MB. `keras_video.training.TaggingEvaluator` and
    `keras_video.metrics.TaggingScores` keep them on the host instead.

    Args:
        num_classes: number of classes.
        top_k: only each video's `top_k` best classes count as predicted, as in the official code of
            YouTube-8M, which gives lower numbers; by default all.
        capacity: videos in an epoch, at most, padding included. By default what 32 MB hold, and
            at least 1024.
        name: of the metric.
        dtype: of its result.

    Raises:
        ValueError: arguments out of range; when the result is read, more videos than `capacity`.

    Example:

    >>> metric = keras_video.metrics.MeanAveragePrecision(num_classes=2)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.3], [0.8, 0.2]])
    >>> float(metric.result()), metric.per_class()
    (0.75, array([1. , 0.5]))
    """

    def __init__(
        self,
        num_classes: int,
        top_k: int | None = None,
        capacity: int | None = None,
        name: str = "map",
        dtype=None,
    ):
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
            raise ValueError(
                "`num_classes` must be a whole number from 2. "
                f"Received: num_classes={num_classes!r}"
            )
        if top_k is not None:
            check_top_k(top_k)
        self.num_classes, self.top_k = num_classes, top_k
        width = min(top_k or num_classes, num_classes)
        super().__init__(width, top_k is not None, num_classes, capacity, name, dtype)

    def per_class(self) -> np.ndarray:
        """The average precision of each class so far, NaN for classes that no video has."""
        return ranked_by_class(*self._kept())

    def value_of_kept(self, scores, signed, classes, positives) -> float:
        found = ranked_by_class(scores, signed, classes, positives)
        known = found[~np.isnan(found)]
        return float(known.mean()) if len(known) else float("nan")

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "top_k": self.top_k}
