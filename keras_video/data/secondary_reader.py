"""Other libraries' decoders, with PyAV's index and with PyAV behind them."""

import abc
from collections.abc import Callable, Iterator

import numpy as np

from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.video_reader import VideoReader


class SecondaryReader(VideoReader):
    """A reader for files on which a library agrees with PyAV about which frame has which number.

    Subclasses implement `_pictures`, and set `failures` to what it raises when the library gives
    up; the frames that are missing then come from PyAV.

    Args:
        exact: the `PyAVReader` of the same source.
    """

    failures: tuple[type[Exception], ...] = ()

    def __init__(self, exact: PyAVReader):
        super().__init__(exact.name, exact.timestamps, exact.fps)
        self._exact = exact

    @abc.abstractmethod
    def _pictures(self, wanted: list[int]) -> Iterator[np.ndarray]:
        """Yields the frames at `wanted`, ascending numbers, as upright RGB."""

    def close(self) -> None:
        self._closed = True
        self._exact.close()

    def _read(
        self, wanted: list[int], transform: Callable[[np.ndarray], np.ndarray]
    ) -> dict[int, np.ndarray]:
        frames: dict[int, np.ndarray] = {}
        pictures = self._pictures(wanted)
        for number in wanted:
            try:
                picture = next(pictures, None)
            except self.failures:
                picture = None
            if picture is None:
                break
            frames[number] = transform(picture)
        rest = wanted[len(frames) :]
        if rest:
            frames.update(self._exact._read(rest, transform))
        return frames


def is_ordinary(reader: PyAVReader) -> bool:
    """Whether a file is of the kind that all libraries number alike.

    One video stream of 8 bits, even size and four luma samples to a chroma sample, in a container
    with time stamps, whole, without an edit list that cuts, without key frames that frames shown
    before them depend on.
    """
    index, context = reader.index, reader.codec_context
    return (
        reader.video_streams == 1
        and context.pix_fmt in {"yuv420p", "yuvj420p"}
        and context.width % 2 == context.height % 2 == 0
        and index.closed
        and not (index.counted or index.hides_frames or reader.truncated)
    )
