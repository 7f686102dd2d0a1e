"""`temporal_iou` and `temporal_ioa`: how much segments overlap."""

import numpy as np

from keras_video.localization.segments import checked_segments


def temporal_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs of segments.

    Args:
        a: segments `(n, 2)`, start and end, in any unit.
        b: segments `(m, 2)`, in the same unit.

    Returns:
        float64 `(n, m)`, from 0 to 1. Two segments without length overlap by 0.

    Raises:
        ValueError: another shape, numbers that aren't finite, or an end before its start.

    Example:

    >>> temporal_iou([[0, 2]], [[1, 3], [0, 2]]).round(3).tolist()
    [[0.333, 1.0]]
    """
    a, b = checked_segments(a, "a"), checked_segments(b, "b")
    shared = _intersection(a, b)
    union = (a[:, 1] - a[:, 0])[:, None] + (b[:, 1] - b[:, 0]) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def temporal_ioa(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over the length of `a` of all pairs of segments.

    Args:
        a: segments `(n, 2)`, start and end, in any unit.
        b: segments `(m, 2)`, in the same unit.

    Returns:
        float64 `(n, m)`, from 0 to 1: the share of each of `a` that lies within each of `b`. That
        of a segment without length is 0.

    Raises:
        ValueError: another shape, numbers that aren't finite, or an end before its start.

    Example:

    >>> temporal_ioa([[0, 2]], [[1, 3], [0, 8]]).tolist()
    [[0.5, 1.0]]
    """
    a, b = checked_segments(a, "a"), checked_segments(b, "b")
    shared = _intersection(a, b)
    length = np.broadcast_to((a[:, 1] - a[:, 0])[:, None], shared.shape)
    return np.divide(shared, length, out=np.zeros_like(shared), where=length > 0)


def _intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    start = np.maximum(a[:, None, 0], b[None, :, 0])
    return np.maximum(np.minimum(a[:, None, 1], b[None, :, 1]) - start, 0.0)
