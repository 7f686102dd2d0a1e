"""`perr`: precision at equal recall rate."""

import numpy as np

from keras_video.metrics.predictions import checked_predictions, top_classes


def perr(labels, scores) -> float:
    """Returns PERR: how many of a video's `n` best classes are labels, if it has `n` labels.

    That is the precision of as many answers as there are labels, where precision and recall are the
    same, averaged over videos. Of equal scores the lower class number is the better one. A video
    without labels counts 0, as in the official code of YouTube-8M.

    Args:
        labels: `(videos, classes)`, 0 or 1.
        scores: `(videos, classes)`, probabilities or logits.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: labels other than 0 and 1, scores that are NaN, shapes that differ.

    Example:

    >>> perr([[1, 0, 1], [0, 1, 0]], [[0.2, 0.3, 0.9], [0.4, 0.5, 0.1]])
    0.75

    Reference: Abu-El-Haija et al., "YouTube-8M", https://arxiv.org/abs/1609.08675
    """
    labels, scores = checked_predictions(labels, scores)
    return float(precisions_at_equal_recall(labels, scores).mean())


def precisions_at_equal_recall(
    labels: np.ndarray, scores: np.ndarray, best: np.ndarray | None = None
) -> np.ndarray:
    """For each video the share of labels among as many best classes as it has labels.

    Args:
        labels, scores: as of `perr`.
        best: `top_classes`, at least as many as the video with most labels has.
    """
    counts = labels.sum(axis=1)
    if best is None:
        best = top_classes(scores, most_labels(labels))
    found = np.take_along_axis(labels, best, axis=1)
    found &= np.take_along_axis(scores, best, axis=1) > -np.inf
    found &= np.arange(found.shape[1]) < counts[:, None]
    return found.sum(axis=1) / np.maximum(counts, 1)


def most_labels(labels: np.ndarray) -> int:
    """The number of labels of the video that has most of them, at least 1."""
    return max(1, int(labels.sum(axis=1).max(initial=1)))
