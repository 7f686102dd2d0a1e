"""`best_thresholds`: from which score on a tag is given, chosen tag by tag."""

import numpy as np


def best_thresholds(
    labels: np.ndarray, scores: np.ndarray, default: float = 0.5, beta: float = 1.0
) -> np.ndarray:
    """The score of each tag with which its F-score is highest.

    Thresholds lie halfway between two scores that occur, so that scores near by fall on the side of
    their neighbours. Choose them on videos that neither trained nor test the model: on the tested
    ones themselves, F-scores come out too high.

    Args:
        labels: which video has which tag, `(videos, tags)` of 0 and 1.
        scores: probabilities, of the same shape.
        default: threshold of tags that no video has. Defaults to 0.5.
        beta: how many times recall weighs as much as precision. Defaults to 1.

    Returns:
        Thresholds `(tags,)`, float64, from 0 to 1. Of equally good ones the highest.

    Raises:
        ValueError: arrays of different shapes, or scores that are no probabilities.

    Example:

    >>> best_thresholds(np.array([[1], [1], [0]]), np.array([[0.9], [0.6], [0.2]]))
    array([0.4])
    """
    labels, scores = np.asarray(labels) > 0, np.asarray(scores, "float64")
    if labels.ndim != 2 or labels.shape != scores.shape or not len(labels):
        raise ValueError(
            "Labels and scores must have one shape, (videos, tags). "
            f"Received: labels.shape={labels.shape}, scores.shape={scores.shape}"
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            "Scores must be probabilities from 0 to 1. "
            f"Received: scores from {scores.min():.4g} to {scores.max():.4g}"
        )
    return np.array(
        [
            _best(labels[:, tag], scores[:, tag], beta) if labels[:, tag].any() else default
            for tag in range(labels.shape[1])
        ]
    )


def _best(labels: np.ndarray, scores: np.ndarray, beta: float) -> float:
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    right = np.cumsum(labels)
    f_score = (1 + beta**2) * right / (np.arange(1, len(labels) + 1) + beta**2 * right[-1])
    # Videos of one score are given the tag together.
    ends = np.append(scores[1:] < scores[:-1], True)
    best = int(np.argmax(np.where(ends, f_score, -1.0)))
    below = scores[best + 1] if best + 1 < len(scores) else 0.0
    return (scores[best] + below) / 2
