"""The decord decoder, used where its frames are known to be right."""

from collections.abc import Callable

import numpy as np

from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.video_reader import VideoReader

_FORMATS = {"mov", "mp4", "matroska", "webm"}
_CODECS = {"h264", "mpeg4", "vp8", "vp9"}
_PIXEL_FORMATS = {"yuv420p", "yuvj420p"}
# Frames of 1080p are 6 MB each; so many are held before they are transformed.
_BATCH = 16


def open_with_decord(source, *, threads: int = 1, **settings) -> VideoReader:
    """Opens a video with decord, or with PyAV if decord would return wrong frames or none.

    decord 0.6 is right on ordinary files, H.264 with closed groups of pictures in MP4 or Matroska
    above all. It returns other frames than asked for, or fails, for AVI and MPEG files with
    B-frames, HEVC, AV1, open groups of pictures, intra refresh, edit lists, odd sizes and pictures
    of more than 8 bits. The packets' index tells these apart before anything is decoded; what is
    not known to work goes to PyAV.

    Args:
        source: a path, a URL, bytes or a binary file object.
        threads: decoding threads.
        **settings: see `PyAVReader`.

    Returns:
        A `DecordReader` or a `PyAVReader`; their attribute `decoder` tells which.

    Raises:
        ImportError: decord is not installed.
        VideoDecodeError: as `PyAVReader`.

    Reference:
        https://github.com/dmlc/decord
    """
    decord = _import_decord()
    exact = PyAVReader(source, threads=threads, **settings)
    if not decord_is_exact(exact):
        return exact
    try:
        video = decord.VideoReader(exact.source.for_python(), num_threads=threads)
        agrees = len(video) == len(exact)
    except (decord.DECORDError, RuntimeError):
        agrees = False
    return DecordReader(video, exact) if agrees else exact


def decord_is_exact(reader: PyAVReader) -> bool:
    """Whether decord returns the same frames as PyAV, by container, codec and index."""
    index, context = reader.index, reader.codec_context
    return (
        bool(_FORMATS & set(reader.container_formats))
        and reader.video_streams == 1
        and context.name in _CODECS
        and not (context.name == "mpeg4" and context.has_b_frames)
        and context.pix_fmt in _PIXEL_FORMATS
        and context.width % 2 == context.height % 2 == 0
        and index.closed
        and not (index.counted or index.hides_frames or reader.truncated)
    )


class DecordReader(VideoReader):
    """Frames by number from decord.

    Args:
        video: a `decord.VideoReader`.
        exact: the `PyAVReader` of the same source; it takes over if decord fails.
    """

    decoder = "decord"

    def __init__(self, video, exact: PyAVReader):
        super().__init__(exact.name, exact.timestamps, exact.fps)
        self._video = video
        self._exact = exact

    def close(self) -> None:
        self._closed = True
        self._video = None
        self._exact.close()

    def _read(
        self, wanted: list[int], transform: Callable[[np.ndarray], np.ndarray]
    ) -> dict[int, np.ndarray]:
        frames: dict[int, np.ndarray] = {}
        try:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                pictures = self._video.get_batch(batch).asnumpy()
                frames.update(zip(batch, map(transform, pictures), strict=True))
        except _import_decord().DECORDError:
            rest = [index for index in wanted if index not in frames]
            frames.update(self._exact._read(rest, transform))
        return frames


def _import_decord():
    try:
        import decord
    except ImportError as error:
        raise ImportError(
            'decoder="decord" needs the package decord: pip install "keras-video[decord]", '
            'or use the default, decoder="pyav".'
        ) from error
    decord.logging.set_level(decord.logging.QUIET)
    return decord
