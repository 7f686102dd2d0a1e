"""`window_views`: a long video, window by window, as a network takes it. Needs no Keras."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from keras_video.data.decoders import open_video
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.data.video_reader import VideoReader
from keras_video.inference.run_in_thread import run_in_thread
from keras_video.inference.window_plan import Window, check_seconds, plan_windows

# The clips of Kinetics, which most presets learned from, last so long.
WINDOW_SECONDS = 10.0
# A damaged file gives some of its frames late; so many wait for them at most.
_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class WindowViews:
    """A window of a video.

    Attributes:
        start: in seconds from the video's start.
        end: in seconds.
        views: uint8 `(views, num_frames, height, width, 3)`.
    """

    start: float
    end: float
    views: np.ndarray


def window_views(
    pipeline: VideoPipeline,
    source,
    window_seconds: float = WINDOW_SECONDS,
    hop_seconds: float | None = None,
    *,
    fps: float = 25.0,
) -> Iterator[WindowViews]:
    """The views of every window of a video: of each, what `pipeline` makes of its frames alone.

    The video is decoded once, in a thread, no further than two windows ahead. Only frames that a
    window is judged by are resized and kept, and only as long as a window needs them, so memory
    does not grow with the video's length.

    Args:
        pipeline: samples, resizes and crops, such as a preset's preprocessor.
        source: a path, a URL, `bytes`, a binary file or a folder of pictures, as `open_video` takes
            them; or decoded frames `(time, height, width, 3)`.
        window_seconds: length of a window. Defaults to 10, as long as the clips of Kinetics.
        hop_seconds: from the start of a window to the next one's. Defaults to half a window.
        fps: frame rate of decoded frames, which have no times of their own.

    Yields:
        `WindowViews` in order. The last window ends where the video does, a video shorter than a
        window is one.

    Raises:
        keras_video.data.VideoDecodeError: the video cannot be read.
        ValueError: an argument out of range.

    Example:

    >>> for window in window_views(VideoPipeline(), "match.mp4", window_seconds=4):
    ...     print(window.start, window.views.shape)
    0.0 (1, 8, 224, 224, 3)
    2.0 (1, 8, 224, 224, 3)
    """
    check_pipeline(pipeline)
    window_seconds, hop_seconds = check_seconds(window_seconds, hop_seconds)
    if isinstance(source, VideoReader):
        raise ValueError(
            "A reader belongs to the thread that opened it, and this decodes in another one: give "
            f"the video itself. Received: {source!r}"
        )
    if not isinstance(source, str | bytes | bytearray | memoryview) and hasattr(
        source, "__array__"
    ):
        from keras_video.features.decoded_frames_reader import DecodedFramesReader

        check_fps(fps)
        open_source = partial(DecodedFramesReader, source, fps)
    else:
        open_source = partial(open_video, source, pipeline.decoder)

    def produce(put) -> None:
        with open_source() as video:
            windows = plan_windows(video.timestamps, video.duration, window_seconds, hop_seconds)
            _visit_windows(pipeline, video, windows, put)

    return run_in_thread(produce)


def check_pipeline(pipeline) -> None:
    """Raises `ValueError` for what cannot sample and resize single frames."""
    if not isinstance(pipeline, VideoPipeline):
        raise ValueError(
            "Windows and streams need a `VideoPipeline`, such as a preset's `VideoPreprocessor`. "
            f"Received: {pipeline!r:.80}"
        )


def check_fps(fps) -> None:
    """Raises `ValueError` for what is no frame rate."""
    if isinstance(fps, bool) or not isinstance(fps, int | float | np.number) or not 0 < fps < 1e6:
        raise ValueError(f"`fps` is a number of frames a second above 0. Received: fps={fps!r}")


def _visit_windows(pipeline: VideoPipeline, video: VideoReader, windows: list[Window], put) -> None:
    needed = [
        window.first + np.unique(pipeline.frame_indices(window.stop - window.first, video.fps))
        for window in windows
    ]
    waiting = deque(zip(windows, needed, strict=True))
    kept: dict[int, np.ndarray] = {}

    def visit(index: int, frame: np.ndarray) -> None:
        kept[index] = frame
        while waiting and all(number in kept for number in waiting[0][1].tolist()):
            window, _ = waiting.popleft()
            views = views_of(pipeline, kept, window.first, window.stop - window.first, video.fps)
            forget_before(kept, waiting[0][0].first if waiting else window.stop)
            put(WindowViews(window.start, window.end, views))

    frames = np.unique(np.concatenate(needed))
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        pipeline.visit_resized(video, frames[start : start + _FRAMES_AT_ONCE], visit)


def views_of(
    pipeline: VideoPipeline, kept: dict[int, np.ndarray], first: int, length: int, fps: float
) -> np.ndarray:
    """The views of the window that begins with frame `first`, from resized frames by number."""
    return pipeline.assemble(
        length, lambda indices: np.stack([kept[first + index] for index in indices.tolist()]), fps
    )


def forget_before(kept: dict[int, np.ndarray], first: int) -> None:
    """Drops frames that no later window needs."""
    for number in [number for number in kept if number < first]:
        del kept[number]
