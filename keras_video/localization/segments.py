"""Checks that all functions of segments share."""

import math
from collections.abc import Sequence

import numpy as np


def check_times(start: float, end: float) -> None:
    """Raises a ValueError unless both are finite numbers in order."""
    if not (is_number(start) and is_number(end) and start <= end):
        raise ValueError(
            "A segment has a start and an end in seconds, finite, the end not before the start. "
            f"Received: start={start!r}, end={end!r}"
        )


def check_score(score: float) -> None:
    """Raises a ValueError unless it is a finite number."""
    if not is_number(score):
        raise ValueError(f"A score is a finite number. Received: score={score!r}")


def check_label(label: str) -> None:
    """Raises a ValueError unless it is a name."""
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"A label is the name of a class. Received: label={label!r}")


def is_number(value) -> bool:
    """Whether it is a finite number; `True` is none."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def checked_segments(segments, name: str = "segments") -> np.ndarray:
    """Segments as float64 `(n, 2)`; none at all is `(0, 2)`."""
    array = _as_floats(segments, name)
    if array.size == 0 and array.ndim in (1, 2) and array.shape[-1] in (0, 2):
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(
            f"`{name}` has the shape (n, 2): a start and an end each. "
            f"Received: {name} of shape {array.shape}"
        )
    wrong = ~(np.isfinite(array).all(axis=1) & (array[:, 0] <= array[:, 1]))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"`{name}` holds finite starts and ends, the end not before the start. "
            f"Received: {array[row].tolist()} in row {row}"
        )
    return array


def checked_scores(scores, count: int) -> np.ndarray:
    """Scores as float64 `(count,)`."""
    array = _as_floats(scores, "scores")
    if array.shape != (count,):
        raise ValueError(
            "There is one score for each segment. "
            f"Received: scores of shape {array.shape} for {count} segments"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"Scores are finite numbers. Received: {array[~np.isfinite(array)][0]}")
    return array


def checked_probabilities(values, name: str) -> np.ndarray:
    """Probabilities as float64."""
    array = _as_floats(values, name)
    if not array.size:
        raise ValueError(f"`{name}` is empty. Received: {name} of shape {array.shape}")
    wrong = ~((array >= 0) & (array <= 1 + 1e-6))
    if wrong.any():
        raise ValueError(
            f"`{name}` holds probabilities from 0 to 1, as after a sigmoid. "
            f"Received: {array[wrong][0]}"
        )
    return array


def checked_thresholds(thresholds: Sequence[float]) -> np.ndarray:
    """Thresholds of temporal IoU as float64 `(n,)`."""
    array = _as_floats(thresholds, "thresholds")
    if array.ndim != 1 or not array.size or not ((array > 0) & (array <= 1)).all():
        raise ValueError(
            "`thresholds` are temporal IoUs above 0 and up to 1, at least one. "
            f"Received: thresholds={thresholds!r:.200}"
        )
    return array


def times(items: Sequence) -> np.ndarray:
    """Starts and ends of actions, proposals or detections: float64 `(n, 2)`."""
    return np.array([(item.start, item.end) for item in items], np.float64).reshape(-1, 2)


def _as_floats(values, name: str) -> np.ndarray:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"`{name}` must be an array of numbers. Received: {name}={values!r:.200}"
        ) from None
