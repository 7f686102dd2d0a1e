"""`stream_windows`: the windows of a stream that may never end. Needs no Keras."""

from collections.abc import Iterable, Iterator

import numpy as np

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.window_plan import check_seconds
from keras_video.inference.window_views import (
    WINDOW_SECONDS,
    WindowViews,
    check_fps,
    check_pipeline,
    forget_before,
    views_of,
)


def stream_windows(
    pipeline: VideoPipeline,
    frames: Iterable[np.ndarray],
    fps: float,
    window_seconds: float = WINDOW_SECONDS,
    hop_seconds: float | None = None,
) -> Iterator[WindowViews]:
    """The views of every window of a stream, each as soon as its last frame is there.

    Only frames that a window is judged by are resized, when they arrive; those that no later
    window needs are dropped.

    Args:
        pipeline: samples, resizes and crops, such as a preset's preprocessor.
        frames: RGB, uint8 `(height, width, 3)` each, all of one size, at a constant rate; for
            example `keras_video.data.LiveReader`.
        fps: frames a second.
        window_seconds: length of a window, rounded to whole frames. Defaults to 10.
        hop_seconds: from the start of a window to the next one's, rounded to whole frames.
            Defaults to half a window.

    Yields:
        `WindowViews`; a window that the stream's end cuts off is not among them.

    Raises:
        ValueError: a frame is none, or of another size than the first; the stream ended before the
            first window; an argument is out of range.
    """
    check_pipeline(pipeline)
    check_fps(fps)
    window_seconds, hop_seconds = check_seconds(window_seconds, hop_seconds)
    length, hop = max(round(window_seconds * fps), 1), max(round(hop_seconds * fps), 1)
    return _windows(pipeline, frames, float(fps), length, hop)


def _windows(pipeline, frames, fps, length, hop) -> Iterator[WindowViews]:
    needed = frozenset(np.unique(pipeline.frame_indices(length, fps)).tolist())
    kept: dict[int, np.ndarray] = {}
    first, number = 0, -1
    for number, frame in enumerate(checked_frames(frames)):
        # Windows that this frame belongs to began at `first` or later.
        begins = range(first, number + 1, hop)
        if any(number - begin in needed for begin in begins):
            kept[number] = pipeline.prepare_frame(frame, crop=False)
        if number - first == length - 1:
            views = views_of(pipeline, kept, first, length, fps)
            window = WindowViews(first / fps, (first + length) / fps, views)
            first += hop
            forget_before(kept, first)
            yield window
    if first == 0:
        raise ValueError(
            f"The stream ended before its first window of {length} frames. "
            f"Received: {number + 1} frames"
        )


def checked_frames(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames one by one; raises `ValueError` for the first that cannot belong to the stream."""
    shape = None
    for number, frame in enumerate(frames):
        frame = np.asarray(frame)
        if (
            frame.ndim != 3
            or frame.shape[-1] != 3
            or 0 in frame.shape
            or frame.dtype != np.uint8
            or shape not in (None, frame.shape)
        ):
            size = "height, width" if shape is None else f"{shape[0]}, {shape[1]}"
            raise ValueError(
                f"Frame {number} of the stream must be RGB, uint8 of shape ({size}, 3). "
                f"Received: shape={frame.shape}, dtype={frame.dtype}"
            )
        shape = frame.shape
        yield frame
