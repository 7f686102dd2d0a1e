"""`LimitedReader`: videos of strangers, refused before and while they are decoded."""

import dataclasses
import logging
import os
import re

import av
import av.logging

from keras_video.data.packet_index import demux_packets
from keras_video.data.pyav_reader import PyAVReader
from keras_video.data.video_decode_error import VideoDecodeError
from keras_video.data.video_source import VideoSource
from keras_video.serving.request_error import RequestError

# No lists of other files (concat, hls, dash), no devices, no pictures, no text.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,gif,mxf,ivf,"
    "h264,hevc,m4v,obu,nut,dv,rm"
)
_SAID_TOO_LARGE = re.compile(r"Picture size (\d+x\d+) (exceeds|is invalid)")


@dataclasses.dataclass(frozen=True)
class VideoLimits:
    """What a video may have at most; see `Settings`."""

    max_seconds: float
    max_pixels: int
    max_frames: int


class LimitedReader(PyAVReader):
    """Reads a file that may lie.

    The container's numbers are compared with the limits first, then its packets are counted, then
    the frames' time stamps are looked at; FFmpeg refuses frames that are larger than the limit when
    it comes to them. Only containers of video are opened, whatever the file's name.

    Args:
        path: of a file.
        limits: what it may have.

    Raises:
        RequestError: it is no video, cannot be decoded, or has too much of something.
    """

    def __init__(self, path: str, limits: VideoLimits):
        self._limits = limits
        # FFmpeg's complaints are read, not printed.
        logging.getLogger("libav").addHandler(logging.NullHandler())
        av.logging.set_level(av.logging.ERROR)
        # What is repeated would be said later, of another video.
        av.logging.set_skip_repeated(False)
        with explained(path):
            _check(path, limits)
            super().__init__(path)
            _refuse_longer("lasts", self.duration, limits.max_seconds)

    def describe(self) -> dict:
        """`{"duration", "fps", "frames", "width", "height"}`."""
        return {
            "duration": round(self.duration, 6),
            "fps": round(self.fps, 6),
            "frames": len(self),
            "width": self.width,
            "height": self.height,
        }

    def _open(self):
        container, stream = super()._open()
        try:
            _check_stream(container, stream, self._limits)
            stream.codec_context.options = {"max_pixels": str(self._limits.max_pixels)}
        except BaseException:
            container.close()
            raise
        return container, stream


class explained:  # noqa: N801  a context manager
    """Turns what goes wrong while a video is read into a `RequestError`.

    Args:
        path: of the video, which is left out of messages.
    """

    def __init__(self, path: str):
        self._path = path

    def __enter__(self):
        self._capture = av.logging.Capture()
        self._logs = self._capture.__enter__()
        return self

    def __exit__(self, kind, error, trace):
        self._capture.__exit__(kind, error, trace)
        if isinstance(error, RequestError):
            return
        # The reader would put the frame before it in its place.
        said = (_SAID_TOO_LARGE.search(str(entry[-1])) for entry in self._logs)
        if too_large := next(filter(None, said), None):
            raise RequestError(
                422,
                "too_many_pixels",
                f"The video has frames of {too_large[1]} pixels, which its header hides. This "
                "server does not take as many: make it smaller",
            ) from error
        if error is None:
            return
        if isinstance(error, MemoryError | av.error.MemoryError):
            raise RequestError(
                422, "too_much_memory", "Decoding it takes more memory than this server gives"
            ) from error
        if isinstance(error, VideoDecodeError):
            raise RequestError(422, "undecodable", _sentence(error.reason)) from error
        if isinstance(error, ValueError | OSError):
            reason = str(error).replace(self._path, "the video")
            raise RequestError(422, "undecodable", _sentence(reason)) from error


def _check(path: str, limits: VideoLimits) -> None:
    """Compares header and packets with the limits, decoding as little as FFmpeg can."""
    if os.path.getsize(path) == 0:
        raise RequestError(400, "empty", "The file is empty (0 bytes)")
    try:
        container = av.open(
            f"file:{path}",
            metadata_errors="ignore",
            options={
                "protocol_whitelist": "file",
                "format_whitelist": _FORMATS,
                "max_pixels": str(limits.max_pixels),
            },
        )
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, av.error.MemoryError):
            raise
        source = VideoSource(path)
        announced = source.announced_size()
        if announced > source.size:
            raise RequestError(
                422,
                "truncated",
                f"The video is truncated: {source.size} of its {announced} bytes are there",
            ) from error
        raise RequestError(
            415,
            "not_a_video",
            "The file is no video in a container that this server opens: MP4, MOV, MKV, WebM, "
            "AVI and the like",
        ) from error
    with container:
        stream = container.streams.best("video")
        if stream is None or stream.disposition & stream.disposition.attached_pic:
            raise RequestError(415, "not_a_video", "The file has no video stream")
        if stream.codec_context is None:
            raise RequestError(415, "unknown_codec", "There is no decoder for the video's codec")
        _check_stream(container, stream, limits)
        packets = 0
        try:
            for packet in demux_packets(container, stream):
                packets += packet.size > 0
                if packets > limits.max_frames:
                    _refuse_more_frames(f"more than {limits.max_frames}", limits)
        except av.error.FFmpegError:
            return  # The reader says how far the file can be read.


def _check_stream(container, stream, limits: VideoLimits) -> None:
    context = stream.codec_context
    if context.width * context.height > limits.max_pixels:
        raise RequestError(
            422,
            "too_many_pixels",
            f"The video has {context.width}x{context.height} pixels. This server takes up to "
            f"{limits.max_pixels} of them, such as 4096x2304: make it smaller",
        )
    if stream.frames > limits.max_frames:
        _refuse_more_frames(stream.frames, limits)
    lasting = [(container.duration or 0) / av.time_base]
    if stream.duration and stream.time_base:
        lasting.append(float(stream.duration * stream.time_base))
    _refuse_longer("says that it lasts", max(lasting), limits.max_seconds)


def _refuse_longer(verb: str, seconds: float, most: float) -> None:
    # A last frame's length is not known in all containers.
    if seconds > most + 0.5:
        raise RequestError(
            422,
            "too_long",
            f"The video {verb} {seconds:.0f} seconds. This server takes up to {most:g}: cut it",
        )


def _refuse_more_frames(number, limits: VideoLimits) -> None:
    raise RequestError(
        422,
        "too_many_frames",
        f"The video has {number} frames. This server takes up to {limits.max_frames}: cut it",
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
