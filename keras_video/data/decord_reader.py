"""The decord decoder, used where its frames are known to be right."""

from collections.abc import Iterator

import numpy as np

from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.secondary_reader import SecondaryReader, is_ordinary
from keras_video.data.video_reader import VideoReader

_FORMATS = {"mov", "mp4", "matroska", "webm"}
_CODECS = {"h264", "mpeg4", "vp8", "vp9"}
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
    context = reader.codec_context
    return (
        bool(_FORMATS & set(reader.container_formats))
        and context.name in _CODECS
        and not (context.name == "mpeg4" and context.has_b_frames)
        and is_ordinary(reader)
    )


class DecordReader(SecondaryReader):
    """Frames by number from decord.

    Args:
        video: a `decord.VideoReader`.
        exact: the `PyAVReader` of the same source; it takes over if decord fails.
    """

    decoder = "decord"

    def __init__(self, video, exact: PyAVReader):
        super().__init__(exact)
        self._video = video
        self.failures = (_import_decord().DECORDError,)

    def close(self) -> None:
        super().close()
        self._video = None

    def _pictures(self, wanted: list[int]) -> Iterator[np.ndarray]:
        for start in range(0, len(wanted), _BATCH):
            yield from self._video.get_batch(wanted[start : start + _BATCH]).asnumpy()


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
