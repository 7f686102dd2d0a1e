"""`GlobalAveragePrecision`: GAP as a Keras metric."""

import keras

from keras_video.metrics.average_precision import signed_average_precision
from keras_video.metrics.predictions import check_top_k
from keras_video.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_video")
class GlobalAveragePrecision(RankingMetric):
    """GAP over all videos of an epoch, exactly as `global_average_precision` computes it.

    The value that `fit`, `evaluate` and the callbacks at the end of an epoch get is exact, whatever
    the batch size and the number of replicas. What the bar shows during the epoch is the mean of
    the batches' own values; `RankingMetric` says why. Under a `tf.distribute` strategy, make the
    metric within its scope.

    Batches that are padded have weights: give the metric to `compile` as one of the
    `weighted_metrics` then, else Keras keeps the weights from it.

    **Memory**: 8 bytes for each of the `top_k` predictions of `capacity` videos, on each device:
    with the defaults 32 MB for 209,715 videos; all 1.1 million validation videos of YouTube-8M
    take 180 MB. `keras_video.training.TaggingEvaluator` keeps them on the host instead.

    Args:
        top_k: predictions of each video that count. Defaults to 20.
        capacity: videos in an epoch, at most, padding included. By default what 32 MB hold.
        name: of the metric.
        dtype: of its result.

    Raises:
        ValueError: arguments out of range; when the result is read, more videos than `capacity`.

    Example:

    >>> model.compile("adam", keras_video.losses.MultiLabelCrossentropy(),
    ...               weighted_metrics=[keras_video.metrics.GlobalAveragePrecision()])
    >>> model.evaluate(validation_data, return_dict=True)
    {"gap": 0.86, "loss": 9.1}

    Reference: https://github.com/google/youtube-8m (`average_precision_calculator.py`)
    """

    def __init__(self, top_k: int = 20, capacity: int | None = None, name: str = "gap", dtype=None):
        check_top_k(top_k)
        self.top_k = top_k
        super().__init__(top_k, False, 1, capacity, name, dtype)

    def value_of_kept(self, scores, signed, classes, positives) -> float:
        return signed_average_precision(scores.ravel(), signed.ravel(), positives[0])

    def get_config(self):
        return {**super().get_config(), "top_k": self.top_k}
