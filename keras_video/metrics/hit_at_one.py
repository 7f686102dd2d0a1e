"""`hit_at_one`: how often the first answer is one of a video's labels."""

import numpy as np

from keras_video.metrics.predictions import checked_predictions


def hit_at_one(labels, scores) -> float:
    """Returns Hit@1: the share of videos whose best class is one of their labels.

    Of equal scores the lower class number is the better one. A video without labels is a miss.

    Args:
        labels: `(videos, classes)`, 0 or 1.
        scores: `(videos, classes)`, probabilities or logits.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: labels other than 0 and 1, scores that are NaN, shapes that differ.

    Example:

    >>> hit_at_one([[1, 0, 1], [0, 1, 0]], [[0.2, 0.1, 0.9], [0.6, 0.5, 0.1]])
    0.5

    Reference: Abu-El-Haija et al., "YouTube-8M", https://arxiv.org/abs/1609.08675
    """
    labels, scores = checked_predictions(labels, scores)
    return float(hits(labels, scores).mean())


def hits(labels: np.ndarray, scores: np.ndarray, best: np.ndarray | None = None) -> np.ndarray:
    """For each video whether its best class is one of its labels; `best` as of `top_classes`."""
    rows, first = np.arange(len(labels)), scores.argmax(axis=1) if best is None else best[:, 0]
    return labels[rows, first] & (scores[rows, first] > -np.inf)
