"""`DecodedFramesReader`: frames in memory, read as a video."""

from collections.abc import Callable

import numpy as np

from keras_video.data.video_pipeline import check_frames, to_uint8
from keras_video.data.video_reader import VideoReader


class DecodedFramesReader(VideoReader):
    """Frames by number from an array.

    Args:
        frames: RGB `(time, height, width, 3)`, uint8 or floats from 0 to 255.
        fps: frames a second.

    Raises:
        ValueError: the array is not a video.
    """

    decoder = "none"

    def __init__(self, frames, fps: float):
        self._frames = check_frames(frames)
        super().__init__("<frames>", np.arange(len(self._frames)) / fps, fps)

    def close(self) -> None:
        self._closed = True

    def _read(self, wanted: list[int], transform: Callable) -> dict:
        return {index: transform(to_uint8(self._frames[index])) for index in wanted}

    def _visit(self, wanted: list[int], visit: Callable, size: Callable | None) -> None:
        if size is not None:
            return super()._visit(wanted, visit, size)
        for index in wanted:
            visit(index, to_uint8(self._frames[index]))
