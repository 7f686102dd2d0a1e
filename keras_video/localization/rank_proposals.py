"""`rank_proposals`: from the maps of a boundary-matching network to segments with scores."""

import numpy as np

from keras_video.layers.boundary_sampling import LAYOUTS
from keras_video.localization.boundary_peaks import boundary_peaks
from keras_video.localization.segments import checked_probabilities


def rank_proposals(
    confidence: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    min_duration: int = 1,
    layout: str = "duration_start",
) -> tuple[np.ndarray, np.ndarray]:
    """Segments with their scores, the best first, from a network's outputs for one video.

    Of `time` steps, a segment covers the steps from its first to its last, both included. Its score
    is the product of the probabilities of its start and its end and of both confidences. Segments
    are those whose first step is among the `boundary_peaks` of `starts`, and whose last step is
    among those of `ends`; the video's first step may always start, its last step end one.

    Follow it with `soft_nms` (BMN) or with a lowest score and `nms` (FootballAction, whose
    shortest segments are `min_duration=6`).

    Args:
        confidence: `(2, durations, time)`, from 0 to 1: the regressed and the classified IoU of
            each segment with an action. Row d holds the segments of d + 1 steps, column t those
            that start at step t.
        starts: probability that an action starts, `(time,)`.
        ends: probability that an action ends, `(time,)`.
        min_duration: steps of the shortest segment. Defaults to 1.
        layout: `"duration_start"` (default; the paper, PaddleVideo, MMAction2), or `"start_end"`
            for maps of JJBOY's implementation: `(2, time, time)`, row the first step, column the
            last. There, the probability of an end is read one step later, after the segment, so
            no segment reaches the video's end; and all segments are candidates, not only those
            of peaks.

    Returns:
        Segments `(n, 2)`, start and end as parts of the video from 0 to 1, and scores `(n,)`,
        float64. There may be none.

    Raises:
        ValueError: shapes that don't fit, or numbers that are no probabilities.

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702, section 3.5.

    Example:

    >>> confidence = np.full((2, 4, 4), 0.5)
    >>> segments, scores = rank_proposals(confidence, [0.1, 0.9, 0.1, 0.1], [0.1, 0.1, 0.8, 0.1])
    >>> segments[0].tolist(), round(float(scores[0]), 3)
    ([0.25, 0.75], 0.18)
    """
    confidence = checked_probabilities(confidence, "confidence")
    starts = checked_probabilities(starts, "starts")
    ends = checked_probabilities(ends, "ends")
    if layout not in LAYOUTS:
        raise ValueError(f"`layout` is one of {', '.join(LAYOUTS)}. Received: layout={layout!r}")
    time = starts.shape[-1]
    if starts.shape != (time,) or ends.shape != (time,):
        raise ValueError(
            "`starts` and `ends` have the shape (time,), for one video. "
            f"Received: shapes {starts.shape} and {ends.shape}"
        )
    square = layout == "start_end"
    if confidence.ndim != 3 or confidence.shape[0] != 2 or confidence.shape[2] != time:
        raise ValueError(
            f"`confidence` has the shape (2, {'time' if square else 'durations'}, time), with "
            f"{time} steps of time. Received: shape {confidence.shape}"
        )
    if square and confidence.shape[1] != time:
        raise ValueError(
            "A map of the layout start_end has as many rows as columns. "
            f"Received: shape {confidence.shape}"
        )
    if min_duration < 1:
        raise ValueError(f"`min_duration` is at least 1 step. Received: {min_duration!r}")

    row, column = np.indices(confidence.shape[1:])
    if square:
        first, last, end_step = row, column, column + 1
        chosen = end_step < time
    else:
        first, last, end_step = column, row + column, row + column
        can_start, can_end = boundary_peaks(starts), boundary_peaks(ends)
        can_start[0] = can_end[-1] = True
        chosen = (last < time) & can_start[first] & can_end[np.minimum(last, time - 1)]
    chosen &= last - first + 1 >= min_duration
    first, last, end_step = first[chosen], last[chosen], end_step[chosen]
    scores = starts[first] * ends[end_step] * (confidence[0] * confidence[1])[chosen]
    best = np.argsort(-scores, kind="stable")
    segments = np.stack((first, last + 1), axis=-1) / time
    return segments[best], scores[best]
