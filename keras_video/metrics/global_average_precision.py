"""`global_average_precision`: GAP, the average precision of all videos' best predictions."""

import numpy as np

from keras_video.metrics.average_precision import signed_average_precision
from keras_video.metrics.predictions import check_top_k, checked_predictions, top_classes


def global_average_precision(labels, scores, top_k: int = 20) -> float:
    """Returns GAP, the measure of the YouTube-8M challenges, over all videos at once.

    Each video's `top_k` best predictions enter one ranking, whose average precision this is; labels
    that are not among them count as not found. It is not the mean of its values on batches, which
    PaddleVideo reports.

    Predictions of equal score are one step of the ranking, and where the last place of a video's
    `top_k` is shared, the lower class numbers take it: nothing depends on the order of videos.

    Args:
        labels: `(videos, classes)`, 0 or 1.
        scores: `(videos, classes)`, probabilities or logits.
        top_k: predictions of each video that count. Defaults to 20.

    Returns:
        A number from 0 to 1; NaN where no video has a label.

    Raises:
        ValueError: labels other than 0 and 1, scores that are NaN, shapes that differ.

    Example:

    >>> global_average_precision([[1, 0], [1, 1]], [[0.9, 0.2], [0.3, 0.6]], top_k=1)
    0.6666666666666666

    Reference: https://github.com/google/youtube-8m (`average_precision_calculator.py`)
    """
    check_top_k(top_k)
    labels, scores = checked_predictions(labels, scores)
    kept = top_classes(scores, top_k)
    signed = np.where(np.take_along_axis(labels, kept, axis=1), 1.0, -1.0)
    scores = np.take_along_axis(scores, kept, axis=1)
    return signed_average_precision(scores.ravel(), signed.ravel(), float(labels.sum()))
