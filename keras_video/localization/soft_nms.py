"""`soft_nms`: segments that overlap better ones lose score."""

import numpy as np

from keras_video.localization.segments import checked_scores, checked_segments
from keras_video.localization.temporal_iou import temporal_iou


def soft_nms(
    segments: np.ndarray,
    scores: np.ndarray,
    alpha: float = 0.4,
    low_threshold: float = 0.55,
    high_threshold: float = 0.9,
    max_proposals: int = 100,
) -> tuple[np.ndarray, np.ndarray]:
    """Takes the best segment again and again, and lowers the scores of those that overlap it.

    A score is multiplied by `exp(-iou ** 2 / alpha)` where the temporal IoU with the taken segment
    is higher than `low_threshold + (high_threshold - low_threshold) * width` of the taken one.

    BMN (https://arxiv.org/abs/1907.09702) post-processes so; PaddleVideo's numbers. Of fewer
    segments than `max_proposals` all are kept; PaddleVideo drops the worst one then.

    Args:
        segments: `(n, 2)`, start and end as parts of the video, from 0 to 1.
        scores: `(n,)`, at least 0.
        alpha: above 0; the smaller, the more an overlap costs. Defaults to 0.4.
        low_threshold: the IoU from which on overlaps cost, for short segments. Defaults to 0.55.
        high_threshold: the same for a segment as long as the video. Defaults to 0.9.
        max_proposals: how many to take, at most. Defaults to 100.

    Returns:
        Segments `(k, 2)` and their new scores `(k,)`, float64, best first.

    Raises:
        ValueError: other shapes, segments not from 0 to 1, numbers that aren't finite, or arguments
            out of range.

    Example:

    >>> segments, scores = soft_nms([[0.0, 0.5], [0.0, 0.45], [0.6, 0.9]], [0.9, 0.8, 0.3])
    >>> scores.round(3).tolist()
    [0.9, 0.3, 0.106]
    """
    segments = checked_segments(segments)
    scores = checked_scores(scores, len(segments))
    # Rounding may lead a little beyond.
    if len(segments) and not (segments.min() >= -1e-6 and segments.max() <= 1 + 1e-6):
        raise ValueError(
            "`segments` are parts of the video, from 0 to 1: divide seconds by its duration. "
            f"Received: from {segments.min():g} to {segments.max():g}"
        )
    if (scores < 0).any():
        raise ValueError(f"Scores are at least 0. Received: {scores.min():g}")
    if not (alpha > 0 and 0 <= low_threshold <= 1 and 0 <= high_threshold <= 1):
        raise ValueError(
            "`alpha` is above 0, thresholds are from 0 to 1. Received: "
            f"alpha={alpha!r}, low_threshold={low_threshold!r}, high_threshold={high_threshold!r}"
        )
    if max_proposals < 1:
        raise ValueError(f"`max_proposals` is at least 1. Received: {max_proposals!r}")

    order = np.argsort(-scores, kind="stable")
    segments, left = segments[order], scores[order]
    taken, taken_scores = [], []
    for _ in range(min(int(max_proposals), len(segments))):
        best = int(np.argmax(left))
        taken.append(best)
        taken_scores.append(left[best])
        left[best] = -1.0
        overlaps = temporal_iou(segments[best : best + 1], segments)[0]
        width = segments[best, 1] - segments[best, 0]
        near = overlaps > low_threshold + (high_threshold - low_threshold) * width
        near &= left > 0
        left[near] *= np.exp(-np.square(overlaps[near]) / alpha)
    return segments[taken], np.array(taken_scores, np.float64)
