"""The OpenCV decoder, used where its frames are known to be right."""

import os
from collections.abc import Iterator

import numpy as np

from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.secondary_reader import SecondaryReader, is_ordinary
from keras_video.data.video_reader import VideoReader

# MPEG streams may change their size, after which OpenCV scales differently.
_FORMATS = {"mov", "mp4", "matroska", "webm", "avi"}
# The wheels of OpenCV have no software decoder for AV1.
_CODECS = {"h264", "hevc", "mpeg4", "vp8", "vp9"}


def open_with_opencv(source, *, threads: int = 1, **settings) -> VideoReader:
    """Opens a video with OpenCV, or with PyAV if OpenCV would return wrong frames or none.

    OpenCV's jumps to a frame number are inexact in transport streams, AVI and files of variable
    frame rate, so frames are counted from the start instead: right, but slow for frames late in a
    long file.

    Args:
        source: a path. URLs, bytes and file objects go to PyAV.
        threads: decoding threads; 0 lets OpenCV choose.
        **settings: see `PyAVReader`.

    Returns:
        An `OpenCVReader` or a `PyAVReader`; their attribute `decoder` tells which.

    Raises:
        ImportError: OpenCV is not installed.
        VideoDecodeError: as `PyAVReader`.

    Reference:
        https://docs.opencv.org/4.x/d8/dfe/classcv_1_1VideoCapture.html
    """
    _import_opencv()
    exact = PyAVReader(source, threads=threads, **settings)
    if not opencv_is_exact(exact):
        return exact
    reader = OpenCVReader(exact, threads)
    if reader.works:
        return reader
    reader.release()
    return exact


def opencv_is_exact(reader: PyAVReader) -> bool:
    """Whether OpenCV returns the same frames as PyAV, by container, codec and index."""
    return (
        reader.source.path is not None
        and bool(_FORMATS & set(reader.container_formats))
        and reader.codec_context.name in _CODECS
        and is_ordinary(reader)
    )


class OpenCVReader(SecondaryReader):
    """Frames by number from OpenCV, counted from the start.

    Args:
        exact: the `PyAVReader` of the same source; it takes over if OpenCV fails.
        threads: decoding threads.
    """

    decoder = "opencv"

    def __init__(self, exact: PyAVReader, threads: int = 1):
        super().__init__(exact)
        self._threads = threads
        self._capture = None
        self._rewind()

    @property
    def works(self) -> bool:
        """Whether OpenCV could open the file."""
        return self._capture.isOpened()

    def release(self) -> None:
        """Closes OpenCV's side only."""
        self._capture.release()

    def close(self) -> None:
        super().close()
        self.release()

    def _rewind(self) -> None:
        cv2 = _import_opencv()
        if self._capture is not None:
            self._capture.release()
        path = f"file:{os.path.abspath(self._exact.source.path)}"
        settings = [cv2.CAP_PROP_N_THREADS, self._threads] if self._threads else []
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, settings)
        self._next = 0

    def _pictures(self, wanted: list[int]) -> Iterator[np.ndarray]:
        cv2 = _import_opencv()
        if wanted[0] < self._next:
            self._rewind()
        for number in wanted:
            while self._next <= number:
                if not self._capture.grab():
                    self._next = len(self)  # unusable from here on
                    return
                self._next += 1
            found, picture = self._capture.retrieve()
            if not found:
                return
            yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _import_opencv():
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            'decoder="opencv" needs OpenCV: pip install opencv-python-headless, '
            'or use the default, decoder="pyav".'
        ) from error
    return cv2
