"""`PrecisionAtEqualRecall`: PERR as a Keras metric."""

import keras
from keras import ops

from keras_video.metrics.score_tensors import positives, predicted


@keras.saving.register_keras_serializable(package="keras_video")
class PrecisionAtEqualRecall(keras.metrics.MeanMetricWrapper):
    """How many of a video's `n` best classes are labels, if it has `n` labels, as `perr`.

    Labels are `(batch, classes)`, 0 or 1 (soft targets count from 0.5 on), scores probabilities or
    logits of that shape. A score that is NaN or `-inf` is no prediction.

    Args:
        name: of the metric.
        dtype: of its result.

    Example:

    >>> metric = keras_video.metrics.PrecisionAtEqualRecall()
    >>> metric.update_state([[1, 0, 1], [0, 1, 0]], [[0.2, 0.3, 0.9], [0.4, 0.5, 0.1]])
    >>> float(metric.result())
    0.75

    Reference: Abu-El-Haija et al., "YouTube-8M", https://arxiv.org/abs/1609.08675
    """

    def __init__(self, name: str = "perr", dtype=None):
        super().__init__(_precisions, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _precisions(labels, scores):
    labels, scores = positives(labels), predicted(scores)
    count = ops.sum(labels, axis=-1, keepdims=True)
    labels = labels * ops.cast(scores > -float("inf"), labels.dtype)
    labels = ops.take_along_axis(labels, ops.argsort(-scores, axis=-1), axis=-1)
    places = ops.arange(labels.shape[-1], dtype=labels.dtype)
    found = ops.sum(labels * ops.cast(places < count, labels.dtype), axis=-1)
    return found / ops.maximum(count[:, 0], 1.0)
