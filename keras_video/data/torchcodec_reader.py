"""The torchcodec decoder, used where its frames are known to be right."""

from collections.abc import Iterator

import numpy as np

from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.secondary_reader import SecondaryReader, is_ordinary
from keras_video.data.video_reader import VideoReader

_FORMATS = {"mov", "mp4", "matroska", "webm"}
_CODECS = {"h264", "hevc", "vp8", "vp9"}
# Frames of 1080p are 6 MB each; so many are held before they are transformed.
_BATCH = 16


def open_with_torchcodec(source, *, threads: int = 1, **settings) -> VideoReader:
    """Opens a video with torchcodec, or with PyAV if torchcodec would return wrong frames or none.

    torchcodec's exact mode is right for ordinary files in MP4 and Matroska. It returns other
    frames than asked for, or fails, for MPEG streams, AVI files with B-frames and intra refresh;
    these go to PyAV.

    torchcodec brings no FFmpeg: it loads the one of the system, version 4 to 8, and needs a torch
    that fits. Do not fork a process that has used it; its children hang.

    Args:
        source: a path, a URL, bytes or a binary file object.
        threads: decoding threads; 0 lets FFmpeg choose.
        **settings: see `PyAVReader`.

    Returns:
        A `TorchCodecReader` or a `PyAVReader`; their attribute `decoder` tells which.

    Raises:
        ImportError: torchcodec is not installed, or does not load here.
        VideoDecodeError: as `PyAVReader`.

    Reference:
        https://github.com/pytorch/torchcodec
    """
    decoders = _import_torchcodec()
    exact = PyAVReader(source, threads=threads, **settings)
    if not torchcodec_is_exact(exact):
        return exact
    path = exact.source.path
    if path is None:
        with exact.source.opened() as file:
            file.seek(0)
            encoded = file.read()
    try:
        video = decoders.VideoDecoder(
            encoded if path is None else path,
            dimension_order="NHWC",
            num_ffmpeg_threads=threads,
            seek_mode="exact",
        )
        agrees = len(video) == len(exact)
    except (RuntimeError, ValueError):
        agrees = False
    return TorchCodecReader(video, exact) if agrees else exact


def torchcodec_is_exact(reader: PyAVReader) -> bool:
    """Whether torchcodec returns the same frames as PyAV, by container, codec and index."""
    return (
        bool(_FORMATS & set(reader.container_formats))
        and reader.codec_context.name in _CODECS
        and is_ordinary(reader)
    )


class TorchCodecReader(SecondaryReader):
    """Frames by number from torchcodec.

    Args:
        video: a `torchcodec.decoders.VideoDecoder` with `dimension_order="NHWC"`.
        exact: the `PyAVReader` of the same source; it takes over if torchcodec fails.
    """

    decoder = "torchcodec"
    failures = (RuntimeError, IndexError, ValueError)

    def __init__(self, video, exact: PyAVReader):
        super().__init__(exact)
        self._video = video

    def close(self) -> None:
        super().close()
        self._video = None

    def _pictures(self, wanted: list[int]) -> Iterator[np.ndarray]:
        for start in range(0, len(wanted), _BATCH):
            yield from self._video.get_frames_at(wanted[start : start + _BATCH]).data.numpy()


def _import_torchcodec():
    try:
        from torchcodec import decoders
    except (ImportError, OSError, RuntimeError) as error:
        cause = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise ImportError(
            f'decoder="torchcodec" needs torch, torchcodec and FFmpeg\'s libraries: {cause}. '
            'The default, decoder="pyav", needs none of them.'
        ) from error
    return decoders
