"""Labels and scores of several videos, checked; and the best scores of each."""

import numpy as np


def checked_predictions(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    """Returns the labels as booleans and the scores as floats, both `(videos, classes)`.

    Raises:
        ValueError: they differ in shape, are empty, labels other than 0 and 1, or a score is NaN.
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    if labels.ndim != 2 or labels.shape != scores.shape or not labels.size:
        raise ValueError(
            "Labels and scores must both have the shape (videos, classes), with at least one of "
            f"each. Received: labels of shape {labels.shape}, scores of shape {scores.shape}"
        )
    return checked_labels(labels), checked_scores(scores)


def checked_labels(labels: np.ndarray) -> np.ndarray:
    """Returns labels of 0 and 1 as booleans.

    Raises:
        ValueError: another value is among them.
    """
    if labels.dtype == bool:
        return labels
    if labels.dtype.kind not in "iuf":
        raise ValueError(f"Labels must be 0 or 1. Received: dtype={labels.dtype}")
    positive = labels == 1
    strange = ~positive & (labels != 0)
    if strange.any():
        raise ValueError(
            "Labels must be 0 or 1, a row with a number for each class. "
            f"Received: {labels[strange][0]!s} among them"
        )
    return positive


def checked_scores(scores: np.ndarray) -> np.ndarray:
    """Returns scores as floats.

    Raises:
        ValueError: they are no numbers, or one of them is NaN.
    """
    if scores.dtype.kind not in "iufb" and scores.dtype.name != "bfloat16":
        raise ValueError(f"Scores must be numbers. Received: dtype={scores.dtype}")
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64 if scores.dtype.kind in "iu" else np.float32)
    if np.isnan(scores).any():
        raise ValueError(
            "Scores must be numbers, or -inf for classes that were not predicted. Received: NaN in "
            f"{int(np.isnan(scores).any(-1).sum())} of {len(scores)} rows"
        )
    return scores


def top_classes(scores: np.ndarray, top_k: int) -> np.ndarray:
    """The `top_k` best classes of each video, best first; of equal scores the lower class first.

    Args:
        scores: `(videos, classes)`.
        top_k: how many, at most all.

    Returns:
        Class numbers `(videos, top_k)`.
    """
    count = scores.shape[1]
    top_k = min(top_k, count)
    if 4 * top_k >= count:
        return np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    # Sorting thousands of classes takes ten times as long as finding the best.
    classes = np.sort(np.argpartition(scores, count - top_k, axis=1)[:, count - top_k :], axis=1)
    found = np.take_along_axis(scores, classes, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    classes = np.take_along_axis(classes, order, axis=1)
    # Where others have the last one's score, too, a partition takes any of them.
    shared = (scores >= found.min(axis=1, keepdims=True)).sum(axis=1) > top_k
    classes[shared] = np.argsort(-scores[shared], axis=1, kind="stable")[:, :top_k]
    return classes


def check_top_k(top_k: int | None) -> None:
    """Raises `ValueError` for a number of predictions that is no whole number from 1."""
    if isinstance(top_k, bool) or not hasattr(top_k, "__index__") or top_k < 1:
        raise ValueError(f"`top_k` must be a whole number from 1. Received: top_k={top_k!r}")
