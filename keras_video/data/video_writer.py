"""Writing frames to a video file."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_video.data.sound_encoder import SoundEncoder
from keras_video.data.sound_samples import checked_sound

# How well and how fast an encoder works is spelled differently by each.
_ENCODER_OPTIONS = {
    # With macroblock trees, x264 gives other bytes for the same frames now and then.
    "libx264": {"crf": "22", "preset": "veryfast", "mbtree": "0"},
    "libx265": {"crf": "24", "preset": "veryfast", "x265-params": "log-level=error"},
    "mpeg4": {"qscale": "3"},
}
_BT601, _LIMITED_RANGE = 6, 1
# How `_replaced_when_complete` names an mp4 that is not complete.
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}\.mp4", re.DOTALL)


def write_video(
    path: str | os.PathLike | BinaryIO,
    frames: Iterable[np.ndarray],
    fps: float | Fraction = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    sound: np.ndarray | None = None,
    sample_rate: int = 16000,
) -> int:
    """Encodes frames into a video file, by default H.264 that every player opens.

    Frames are encoded as they come, so a generator of any length needs the memory of a few
    frames. The file appears under its name only when it is complete: a failure leaves what
    was there before. The same frames give the same bytes. Frames of odd height or width get one
    repeated row or column at the end, because most formats halve the colour planes.

    Args:
        path: where to write; the suffix picks the container (`.mp4`, `.mkv`, `.avi`, ...).
            Or a writable, seekable binary file object, which receives an mp4.
        frames: `uint8` RGB frames `(height, width, 3)` of one size: an array
            `(time, height, width, 3)` or any iterable of frames.
        fps: frames per second; 29.97 and the like become their exact fraction.
        codec: name of an FFmpeg video encoder, such as `"libx264"`, `"libx265"`, `"mpeg4"`,
            `"libvpx-vp9"`, `"ffv1"`.
        pixel_format: FFmpeg name of the encoded pixel format.
        options: options of the encoder, such as `{"crf": "18", "g": "1"}`; they override
            the defaults.
        sound: mono samples from -1 to 1, float `(samples,)`, which start with the first frame and
            become an AAC track. `None` (default) for a video without sound.
        sample_rate: of the sound, samples per second, one that AAC knows. Defaults to 16000.

    Returns:
        The number of frames written.

    Raises:
        ValueError: no frames, a frame of another size, shape or type, an unknown codec, pixel
            format or container, `fps` not positive, or sound that is none.
        OSError: the file can't be written.

    Example:

    >>> write_video("noise.mp4", (np.full((64, 64, 3), g, "uint8") for g in range(200)), fps=25)
    200
    """
    encode = _Encoder(_frame_rate(fps), codec, pixel_format, options or {})
    if sound is not None:
        encode.sound, encode.sample_rate = checked_sound(sound), sample_rate
    if hasattr(path, "write"):
        return encode(path, "mp4", frames)
    path = Path(path)
    container = _container(path)
    with _replaced_when_complete(path) as temporary:
        return encode(temporary, container, frames)


def remove_unfinished_videos(folder: str | os.PathLike) -> None:
    """Removes the mp4 files that `write_video` leaves in a folder when its process is killed.

    They have the names that it gives to videos while it writes them, `.clip.1f2e3d4c.mp4`: a dot,
    the name, eight hexadecimal digits. No other process may be writing there.

    Args:
        folder: searched with its subfolders; nothing is done if it does not exist.

    Example:

    >>> remove_unfinished_videos("data/videos")
    """
    for path in Path(folder).rglob(".*"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink()


def _frame_rate(fps: float | Fraction) -> Fraction:
    if not 0.001 <= fps < 100_000:
        raise ValueError(
            f"`fps` must be frames per second, from 0.001 to 100000. Received: fps={fps}"
        )
    rate = Fraction(fps).limit_denominator(1001)
    # 23.976, 29.97 and 59.94 stand for multiples of 1000/1001.
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    return ntsc if rate.denominator > 1 and ntsc and abs(ntsc - Fraction(fps)) < 0.005 else rate


def _container(path: Path) -> str:
    import av

    known = {".mp4": "mp4", ".m4v": "mp4", ".mkv": "matroska", ".avi": "avi", ".mov": "mov"}
    suffix = path.suffix.lower()
    name = known.get(suffix, suffix.lstrip("."))
    if name not in av.formats_available:
        raise ValueError(
            "The name's suffix must name a video container, such as .mp4, .mkv or .avi. "
            f"Received: path={str(path)!r}"
        )
    return name


@contextlib.contextmanager
def _replaced_when_complete(path: Path) -> Iterator[Path]:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Can't write {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"Can't write {path}: it is a folder")
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno, f"Can't write {path}: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


class _Encoder:
    sound: np.ndarray | None = None
    sample_rate = 16000

    def __init__(self, rate: Fraction, codec: str, pixel_format: str, options: Mapping[str, str]):
        import av

        try:
            encoder = av.codec.Codec(codec, "w")
        except av.codec.codec.UnknownCodecError:
            raise ValueError(
                f"This build of FFmpeg has no encoder of that name; `libx264`, `mpeg4` and `ffv1` "
                f"usually exist. Received: codec={codec!r}"
            ) from None
        if encoder.type != "video":
            raise ValueError(f"`codec` must encode video. Received: codec={codec!r}")
        formats = [known.name for known in encoder.video_formats or ()]
        if formats and pixel_format not in formats:
            raise ValueError(
                f"The encoder {codec} takes these pixel formats: {', '.join(formats)}. "
                f"Received: pixel_format={pixel_format!r}"
            )
        self._rate = rate
        self._codec = codec
        self._pixel_format = pixel_format
        self._options = {**_ENCODER_OPTIONS.get(codec, {}), **options}

    def __call__(
        self, target: Path | BinaryIO, container: str, frames: Iterable[np.ndarray]
    ) -> int:
        import av
        from av.video.reformatter import VideoReformatter

        frames = iter(frames)
        first = _checked(next(frames, None), None)
        flags = {}
        if isinstance(target, Path):
            target = str(target)
            # The index goes to the front, so that a player or a browser can start at once.
            flags = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
        with av.open(target, "w", format=container, container_options=flags) as output:
            stream = self._add_stream(output, first.shape)
            sound = None
            if self.sound is not None:
                sound = SoundEncoder(output, self.sound, self.sample_rate)
            # One for all frames: setting it up takes as long as converting a small picture.
            convert = VideoReformatter().reformat
            count = 0
            for frame in _chain(first, frames):
                picture = av.VideoFrame.from_ndarray(_padded(frame), format="rgb24")
                # RGB has no matrix of its own: say BT.601 here and in the file, so that every
                # reader, whether it looks or assumes, gets the same colours back.
                picture = convert(
                    picture,
                    format=self._pixel_format,
                    dst_colorspace=_BT601,
                    dst_color_range=_LIMITED_RANGE,
                )
                picture.pts, picture.time_base = count, 1 / self._rate
                output.mux(stream.encode(picture))
                count += 1
                if sound is not None:
                    sound.write_until(float(count / self._rate))
            output.mux(stream.encode(None))
            if sound is not None:
                sound.finish()
        return count

    def _add_stream(self, output, shape: tuple[int, ...]):
        import av

        received = f"Received: codec={self._codec!r}, options={self._options}"
        try:
            stream = output.add_stream(self._codec, rate=self._rate, options=self._options)
        except ValueError as error:
            raise ValueError(f"{error}. {received}") from error
        stream.height, stream.width = (side + side % 2 for side in shape[:2])
        stream.pix_fmt = self._pixel_format
        context = stream.codec_context
        context.time_base = 1 / self._rate
        context.colorspace, context.color_range = _BT601, _LIMITED_RANGE
        context.color_primaries, context.color_trc = _BT601, _BT601
        try:
            context.open()
        except av.FFmpegError as error:
            raise ValueError(f"The encoder refuses these settings. {received}") from error
        return stream


def _padded(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)


def _chain(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    for frame in rest:
        yield _checked(frame, first.shape)


def _checked(frame: np.ndarray | None, shape: tuple[int, ...] | None) -> np.ndarray:
    if frame is None:
        raise ValueError("A video needs at least one frame. Received: frames=[]")
    frame = np.asarray(frame)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        raise ValueError(
            "Each frame must be a uint8 RGB array of shape (height, width, 3). "
            f"Received: dtype={frame.dtype}, shape={frame.shape}"
        )
    if shape is not None and frame.shape != shape:
        raise ValueError(
            f"All frames must have the size of the first one, {shape[:2]}. "
            f"Received: a frame of {frame.shape[:2]}"
        )
    return frame
