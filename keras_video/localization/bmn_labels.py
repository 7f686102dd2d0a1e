"""`make_bmn_labels`: what a boundary-matching network should say of a video."""

from collections.abc import Sequence

import numpy as np

from keras_video.layers.boundary_sampling import LAYOUTS
from keras_video.localization.temporal_iou import temporal_ioa, temporal_iou


def make_bmn_labels(
    segments: Sequence[tuple[float, float]] | np.ndarray,
    num_frames: int,
    max_duration: int | None = None,
    layout: str = "duration_start",
    rng: np.random.Generator | None = None,
) -> dict[str, np.ndarray]:
    """The labels of one video, or one window of it.

    A step's label of `starts` is the largest share of it that a region of three steps around the
    start of an action covers; `ends` likewise. A cell's label is its largest overlap (IoU) with an
    action.

    Args:
        segments: of the actions, `(actions, 2)`, in parts of the video or window, from 0 to 1.
        num_frames: steps of the features.
        max_duration: rows of the map. Defaults to `num_frames`.
        layout: of the map, see `layers.BoundaryMatching`. Defaults to `"duration_start"`.
        rng: draws the random numbers by which `losses.SegmentConfidenceLoss` chooses segments;
            by default they are the same each time.

    Returns:
        `starts` and `ends`, float32 `(num_frames,)`; and `confidence`, float32 `(max_duration,
        num_frames, 2)`: overlaps, -1 for cells that are no segments, and random numbers.

    Raises:
        ValueError: segments that are not from 0 to 1, or end before they start.

    Example:

    >>> labels = make_bmn_labels([(0.2, 0.6)], num_frames=10)
    >>> labels["confidence"][3, 2, 0]  # 4 steps from step 2 on
    1.0

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """
    segments = np.asarray(segments, "float64").reshape(-1, 2)
    if not (np.isfinite(segments).all() and (segments[:, 1] > segments[:, 0]).all()):
        raise ValueError(
            "Segments must be pairs of numbers, the start before the end. "
            f"Received: segments={segments.tolist()!r:.200}"
        )
    if segments.size and (segments.min() < 0 or segments.max() > 1 + 1e-6):
        raise ValueError(
            "Segments must be parts of the whole, from 0 to 1: divide seconds by the duration. "
            f"Received: from {segments.min():g} to {segments.max():g}"
        )
    if layout not in LAYOUTS:
        raise ValueError(f"`layout` must be one of {LAYOUTS}. Received: layout={layout!r}")
    max_duration = num_frames if max_duration is None else max_duration
    edges = np.arange(num_frames + 1) / num_frames
    steps = np.stack([edges[:-1], edges[1:]], axis=1)
    margin = 1.5 / num_frames
    labels = {
        name: _largest(temporal_ioa(steps, np.stack([at - margin, at + margin], axis=1)))
        for name, at in (("starts", segments[:, 0]), ("ends", segments[:, 1]))
    }
    row, column = np.indices((max_duration, num_frames))
    if layout == "duration_start":
        start, end = column, row + column + 1
    else:
        start, end = row, column + 1
    real = (end > start) & (end <= num_frames)
    cells = np.stack([start[real], end[real]], axis=1) / num_frames
    rng = np.random.default_rng(0) if rng is None else rng
    confidence = np.empty((max_duration, num_frames, 2), "float32")
    confidence[..., 0] = -1
    confidence[real, 0] = _largest(temporal_iou(cells, segments))
    confidence[..., 1] = rng.random(confidence.shape[:2], "float32")
    return {"confidence": confidence, **labels}


class BMNLabels:
    """A transform for `ArrayDataset`: from the segments of a sample to its labels.

    Args:
        num_frames: steps of the features.
        max_duration: rows of the map, by default `num_frames`.
        layout: of the map.

    Call arguments:
        clip: handed on as it is.
        label: a row of `pad_segments`.
    """

    def __init__(
        self, num_frames: int, max_duration: int | None = None, layout: str = "duration_start"
    ):
        self.num_frames, self.max_duration, self.layout = num_frames, max_duration, layout

    def __call__(self, clip, rng=None):
        return clip

    def call_with_label(self, clip, label: np.ndarray, rng: np.random.Generator | None = None):
        segments = label[np.isfinite(label[:, 0])]
        return clip, make_bmn_labels(
            segments, self.num_frames, self.max_duration, self.layout, rng=rng
        )


def pad_segments(samples: Sequence[Sequence[tuple[float, float]] | np.ndarray]) -> np.ndarray:
    """Segments of many samples as one array, float64 `(samples, most, 2)`, filled up with NaN.

    >>> pad_segments([[(0.1, 0.2)], []]).shape
    (2, 1, 2)
    """
    most = max((len(segments) for segments in samples), default=0)
    padded = np.full((len(samples), max(most, 1), 2), np.nan)
    for row, segments in zip(padded, samples, strict=True):
        if len(segments):
            row[: len(segments)] = segments
    return padded


def _largest(overlaps: np.ndarray) -> np.ndarray:
    return overlaps.max(axis=1, initial=0.0).astype("float32")
