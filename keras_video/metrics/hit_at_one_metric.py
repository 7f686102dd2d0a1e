"""`HitAtOne`: Hit@1 as a Keras metric."""

import keras
from keras import ops

from keras_video.metrics.score_tensors import positives, predicted


@keras.saving.register_keras_serializable(package="keras_video")
class HitAtOne(keras.metrics.MeanMetricWrapper):
    """The share of videos whose best class is one of their labels, as `hit_at_one`.

    Labels are `(batch, classes)`, 0 or 1 (soft targets count from 0.5 on), scores probabilities or
    logits of that shape. A score that is NaN or `-inf` is no prediction.

    Args:
        name: of the metric.
        dtype: of its result.

    Example:

    >>> model.compile("adam", keras_video.losses.MultiLabelCrossentropy(),
    ...               metrics=[keras_video.metrics.HitAtOne()])

    Reference: Abu-El-Haija et al., "YouTube-8M", https://arxiv.org/abs/1609.08675
    """

    def __init__(self, name: str = "hit_at_one", dtype=None):
        super().__init__(_hits, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _hits(labels, scores):
    scores = predicted(scores)
    best = ops.argmax(scores, axis=-1, keepdims=True)
    found = ops.take_along_axis(positives(labels), best, axis=-1)[:, 0]
    was_predicted = ops.take_along_axis(scores, best, axis=-1)[:, 0] > -float("inf")
    return found * ops.cast(was_predicted, found.dtype)
