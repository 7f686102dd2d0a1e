"""`nms`: the best of segments that overlap."""

import numpy as np

from keras_video.localization.segments import checked_scores, checked_segments
from keras_video.localization.temporal_iou import temporal_iou


def nms(segments: np.ndarray, scores: np.ndarray, iou_threshold: float) -> np.ndarray:
    """Non-maximum suppression: of segments that overlap too much, only the best is kept.

    FootballAction's proposals are those of `rank_proposals` with a score of at least 0.03 that
    `nms` with a threshold of 0.7 keeps.

    Args:
        segments: `(n, 2)`, start and end, in any unit.
        scores: `(n,)`.
        iou_threshold: from 0 to 1; a segment whose temporal IoU with a better, kept one is higher
            is dropped.

    Returns:
        Numbers of the kept segments, best first, int64; of equal scores the first comes first.

    Raises:
        ValueError: other shapes, numbers that aren't finite, or a threshold out of range.

    Example:

    >>> nms([[0, 10], [1, 10], [20, 30]], [0.5, 0.9, 0.7], iou_threshold=0.7).tolist()
    [1, 2]
    """
    segments = checked_segments(segments)
    scores = checked_scores(scores, len(segments))
    if not 0 <= iou_threshold <= 1:
        raise ValueError(
            f"`iou_threshold` is from 0 to 1. Received: iou_threshold={iou_threshold!r}"
        )
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        overlaps = temporal_iou(segments[best : best + 1], segments[order])[0]
        order = order[overlaps <= iou_threshold]
    return np.array(kept, np.int64)
