"""`average_precision_per_class`: how well each class ranks the videos."""

import numpy as np

from keras_video.metrics.average_precision import signed_average_precision
from keras_video.metrics.predictions import check_top_k, checked_predictions, top_classes


def average_precision_per_class(labels, scores, top_k: int | None = None) -> np.ndarray:
    """Returns the average precision of each class: of all videos, ranked by its score.

    Their mean over the classes that have a positive is the mean average precision, mAP:
    `np.nanmean(average_precision_per_class(labels, scores))`.

    Args:
        labels: `(videos, classes)`, 0 or 1.
        scores: `(videos, classes)`, probabilities or logits.
        top_k: only each video's `top_k` best classes count as predicted, as in the official code of
            YouTube-8M, which gives lower numbers; by default all.

    Returns:
        `(classes,)` from 0 to 1; NaN for classes that no video has. (YouTube-8M's code counts
        those as 0.)

    Raises:
        ValueError: labels other than 0 and 1, scores that are NaN, shapes that differ.

    Example:

    >>> average_precision_per_class([[1, 0], [0, 0], [1, 0]], [[0.9, 0.2], [0.8, 0.1], [0.4, 0.3]])
    array([0.83333333,        nan])
    """
    labels, scores = checked_predictions(labels, scores)
    if top_k is not None:
        check_top_k(top_k)
        kept = top_classes(scores, top_k)
        only = np.full_like(scores, -np.inf)
        np.put_along_axis(only, kept, np.take_along_axis(scores, kept, axis=1), axis=1)
        scores = only
    return ranked_by_class(scores, np.where(labels, 1.0, -1.0), None, labels.sum(axis=0))


def ranked_by_class(
    scores: np.ndarray, signed: np.ndarray, classes: np.ndarray | None, positives: np.ndarray
) -> np.ndarray:
    """The average precision of each class.

    Args:
        scores: `(videos, predictions)`.
        signed: `(videos, predictions)`: a positive's weight, a negative's weight times -1.
        classes: `(videos, predictions)`, their classes; `None`: one for each class, in order.
        positives: `(classes,)`, weight of each class' positives, predicted or not.
    """
    if classes is None:
        columns = zip(scores.T, signed.T, positives, strict=True)
        return np.array([signed_average_precision(*column) for column in columns])
    # The predictions of a class lie together then.
    order = np.argsort(classes, axis=None, kind="stable")
    scores, signed = scores.ravel()[order], signed.ravel()[order]
    starts = np.searchsorted(classes.ravel()[order], np.arange(len(positives) + 1))
    return np.array(
        [
            signed_average_precision(scores[start:stop], signed[start:stop], count)
            for start, stop, count in zip(starts, starts[1:], positives, strict=False)
        ]
    )
