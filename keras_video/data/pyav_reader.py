"""The default decoder: FFmpeg through PyAV, with an index that makes random access exact."""

import os
import warnings
from collections.abc import Callable, Iterator

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from keras_video.data.container_index import read_container_index
from keras_video.data.display_matrix import DisplayMatrices
from keras_video.data.index_cache import IndexCache
from keras_video.data.packet_index import PacketIndex, demux_packets, scan_packets
from keras_video.data.video_decode_error import VideoDecodeError, VideoDecodeWarning
from keras_video.data.video_reader import VideoReader
from keras_video.data.video_source import VideoSource

# Codecs whose B-frames of no reference are never used to predict another frame, at any level.
_DROPPABLE_CODECS = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
# FFmpeg looks up times of display when it seeks in these, times of decoding in the others.
_SEEK_BY_DISPLAY_TIME = {"mov", "mp4", "matroska", "webm"}
# A gap of so few frames is decoded through rather than sought over.
_SHORT_GAP = 2
# A damaged frame may borrow the picture of one at most so many seconds earlier.
_FREEZE_SECONDS = 1.0


class PyAVReader(VideoReader):
    """Frames by number, from any file that FFmpeg decodes.

    Container and codec disagree about frame numbers in many ways, so nothing is assumed: the
    packets are listed once without decoding, their sorted time stamps are the index, and a frame
    is found by decoding forward from the key frame before it until its time stamp comes up. A
    frame that was jumped over (open groups of pictures, recovery points) is looked for from one
    key frame earlier, then from the start. Where time stamps are invented (AVI with B-frames) or
    missing, frames are counted from the start. On the way to a frame, B-frames that nobody asked
    for and that no other frame depends on are not decoded.

    A frame that is listed but damaged repeats the last good one before it, as players do, with a
    `VideoDecodeWarning`.

    Args:
        source: a path, a URL, bytes or a binary file object.
        threads: decoding threads; 0 lets FFmpeg choose. The default of 1 costs the least CPU time
            for each video, and lets as many readers as there are cores work side by side.
        allow_truncated: read what is left of a file that was cut off. By default that is an error.
        index_cache: a folder that keeps the indexes of long files, see `IndexCache`. Without
            effect on URLs, bytes and file objects.

    Attributes:
        truncated: the file was cut off.

    Raises:
        VideoDecodeError: the file holds no video that can be decoded, or was cut off.

    Reference:
        https://pyav.basswood-io.com
    """

    decoder = "pyav"

    def __init__(
        self,
        source,
        *,
        threads: int = 1,
        allow_truncated: bool = False,
        index_cache: str | os.PathLike | None = None,
    ):
        self._source = VideoSource(source)
        path = self._source.path
        cached = index_cache is not None and path is not None
        self._kept = IndexCache(index_cache).entry(path) if cached else None
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._matrices = DisplayMatrices()
        self._decoded: list | None = None
        try:
            self._container, self._stream = self._open()
        except BaseException:
            self._source.close()
            raise
        try:
            self._size = (self._stream.codec_context.width, self._stream.codec_context.height)
            self._index = self._make_index()
            self._check_complete(allow_truncated)
            fps = self._frame_rate()
            super().__init__(self._source.name, self._frame_times(fps), fps)
        except BaseException:
            self.close()
            raise

    @property
    def index(self) -> PacketIndex:
        """The frames' time stamps and key frames."""
        return self._index

    @property
    def source(self) -> VideoSource:
        return self._source

    @property
    def container_formats(self) -> list[str]:
        """FFmpeg's names of the container, such as `["mov", "mp4", ...]`."""
        return self._container.format.name.split(",")

    @property
    def video_streams(self) -> int:
        """Number of video streams in the file; the reader shows FFmpeg's choice of them."""
        return len(self._container.streams.video)

    @property
    def codec_context(self):
        """The `av.VideoCodecContext` that decodes the stream."""
        return self._stream.codec_context

    def close(self) -> None:
        self._closed = True
        self._container.close()
        self._source.close()

    def _open(self):
        try:
            container = av.open(
                self._source.for_ffmpeg(),
                metadata_errors="ignore",
                options={"protocol_whitelist": "file"},
            )
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise VideoDecodeError(self._source.name, self._why_not_opened()) from error
        try:
            stream = container.streams.best("video")
            if stream is None or stream.disposition & stream.disposition.attached_pic:
                kinds = sorted({other.type for other in container.streams} - {"video"})
                held = f"; it holds {' and '.join(kinds)}" if kinds else ""
                raise VideoDecodeError(self._source.name, f"the file has no video stream{held}")
            if stream.codec_context is None:
                raise VideoDecodeError(
                    self._source.name, "the installed FFmpeg has no decoder for its video codec"
                )
            stream.codec_context.thread_count = self._threads
            stream.thread_type = "NONE" if self._threads == 1 else "AUTO"
        except BaseException:
            container.close()
            raise
        return container, stream

    def _make_index(self) -> PacketIndex:
        if self._kept is not None and (index := self._kept.load()) is not None:
            return index
        try:
            index = read_container_index(self._source, self._container, self._stream)
        except LookupError:
            index = None
            self._rewind()
        if index is None:
            index = scan_packets(self._container, self._stream)
        if self._kept is not None:
            self._kept.store(index)
        return index

    def _why_not_opened(self) -> str:
        announced = self._source.announced_size()
        if announced > self._source.size:
            return f"truncated or damaged: {self._source.size} of its {announced} bytes are there"
        return f"FFmpeg finds no video in the {self._source.size} bytes of this file"

    def _check_complete(self, allow_truncated: bool) -> None:
        index = self._index
        self.truncated = cut = self._is_cut()
        if cut:
            index.drop_partial()
        if len(index) == 0:
            cause = "the file is truncated: no frame" if cut else "no frame of its video stream"
            raise VideoDecodeError(self._source.name, f"{cause} can be read")
        if cut and not allow_truncated:
            total = f" of {index.declared}" if index.declared else ""
            raise VideoDecodeError(
                self._source.name,
                f"the file is truncated: only the first {len(index)}{total} frames can be read",
            )

    def _is_cut(self) -> bool:
        """Whether frames are missing at the end, by the container's own account."""
        index = self._index
        if "flv" in self.container_formats:
            return index.partial
        if self._source.announced_size() <= self._source.size:
            return False
        if index.declared:
            return index.packets - index.partial < index.declared
        if "matroska" in self.container_formats and len(index) and self._container.duration:
            step = self._stream.average_rate or 25
            end = float(index.pts[-1] * self._stream.time_base + 2.5 / step)
            return end < self._container.duration / av.time_base
        return True

    def _frame_rate(self) -> float:
        rate = self._stream.average_rate or self._stream.guessed_rate
        if rate:
            return float(rate)
        pts = self._index.pts
        span = float((pts[-1] - pts[0]) * self._stream.time_base) if len(pts) > 1 else 0.0
        return (len(pts) - 1) / span if span > 0 else 25.0

    def _frame_times(self, fps: float) -> np.ndarray:
        if self._index.counted:
            return np.arange(len(self._index)) / fps
        return self._index.pts * float(self._stream.time_base)

    def _read(
        self, wanted: list[int], transform: Callable[[np.ndarray], np.ndarray]
    ) -> dict[int, np.ndarray]:
        return self._read_scaled(wanted, transform, lambda height, width: (height, width))

    def _read_scaled(
        self,
        wanted: list[int],
        transform: Callable[[np.ndarray], np.ndarray],
        size: Callable[[int, int], tuple[int, int]],
    ) -> dict[int, np.ndarray]:
        found: dict[int, np.ndarray] = {}

        def keep(number: int, picture: np.ndarray) -> None:
            found[number] = transform(picture)

        self._visit(wanted, keep, size)
        return found

    def _visit(self, wanted: list[int], visit: Callable, size: Callable | None) -> None:
        size = size or (lambda height, width: (height, width))

        def keep(number: int, frame) -> None:
            visit(number, self._picture(frame, size))

        if self._index.counted:
            missing = self._count({number: [number] for number in wanted}, keep)
        else:
            missing = []
            for key, run in self._runs(wanted):
                absent = self._scan(key, run, keep)
                earlier = self._index.key_before(absent[0]) - 1 if absent else -1
                missing += self._scan(earlier, absent, keep) if earlier >= 0 else absent
            if missing:
                missing = self._scan(None, missing, keep)
        if missing:
            self._substitute(missing, keep)

    def _runs(self, wanted: list[int]) -> Iterator[tuple[int, list[int]]]:
        """Groups frames that are decoded in one go, with the key frame to start each from."""
        start, run = -1, []
        for frame in wanted:
            key = self._index.key_before(frame)
            if run and key != self._index.key_before(run[-1]):
                key_frame = int(np.searchsorted(self._index.pts, self._index.keys[key]))
                if key_frame - run[-1] > _SHORT_GAP:
                    yield start, run
                    run = []
            if not run:
                start = key
            run.append(frame)
        yield start, run

    def _scan(self, key: int | None, targets: list[int], keep: Callable) -> list[int]:
        """Decodes from a key frame (None: the start) on; returns the targets that never came."""
        pts = self._index.pts
        asked = {int(pts[target]) for target in targets}
        targets, missing = list(targets), []
        try:
            self._rewind() if key is None else self._seek(key)
            for frame in self._decode(asked):
                while targets and frame.pts is not None and frame.pts > pts[targets[0]]:
                    missing.append(targets.pop(0))
                if targets and frame.pts == pts[targets[0]]:
                    if frame.is_corrupt and key is not None:
                        # Decoding began where not all that the frame builds on was known.
                        missing.append(targets.pop(0))
                    else:
                        keep(targets.pop(0), frame)
                if not targets:
                    break
        except av.error.FFmpegError:
            pass  # cannot seek, or unreadable from here on
        return missing + targets

    def _count(self, numbers: dict[int, list[int]], keep: Callable) -> list[int]:
        """Decodes from the start; `numbers` maps the n-th decoded frame to the frames it gives."""
        numbers = dict(numbers)
        self._rewind()
        try:
            for number, frame in enumerate(self._decode(None)):
                for target in numbers.pop(number, ()):
                    keep(target, frame)
                if not numbers:
                    break
        except av.error.FFmpegError:
            pass  # unreadable from here on
        return [target for targets in numbers.values() for target in targets]

    def _substitute(self, damaged: list[int], keep: Callable) -> None:
        """Gives frames that do not decode the picture of the last one before them that does."""
        decoded = self._decoded_times()
        listed = self._index.pts
        if not decoded:
            raise VideoDecodeError(self.name, f"none of its {len(self)} frames decodes")
        if self._index.counted or not set(decoded) <= set(listed.tolist()):
            replacements = {frame: min(frame, len(decoded) - 1) for frame in damaged}
            gaps = {frame: (frame - number) / self.fps for frame, number in replacements.items()}
        else:
            rank = np.argsort(decoded, kind="stable")
            times = np.asarray(decoded)[rank]
            before = np.maximum(np.searchsorted(times, listed[damaged], "right") - 1, 0)
            replacements = dict(zip(damaged, rank[before].tolist(), strict=True))
            seconds = np.abs(listed[damaged] - times[before]) * float(self._stream.time_base)
            gaps = dict(zip(damaged, seconds.tolist(), strict=True))
        worst = max(gaps, key=gaps.get)
        if gaps[worst] > _FREEZE_SECONDS:
            raise VideoDecodeError(
                self.name,
                f"frame {worst} does not decode; {len(decoded)} of the {len(self)} frames do",
            )
        if len(decoded) < len(self):
            warnings.warn(
                f"{self.name}: {len(self) - len(decoded)} of {len(self)} frames are damaged; "
                "the last good frame before each stands in for it",
                VideoDecodeWarning,
                stacklevel=5,
            )
        numbers: dict[int, list[int]] = {}
        for frame, number in replacements.items():
            numbers.setdefault(number, []).append(frame)
        self._count(numbers, keep)

    def _decoded_times(self) -> list:
        """Time stamps of all frames that decode, in the order in which the decoder gives them."""
        if self._decoded is None:
            decoded: list = []
            self._rewind()
            try:
                decoded.extend(frame.pts for frame in self._decode(None))
            except av.error.FFmpegError:
                pass  # unreadable from here on
            self._decoded = decoded
        return self._decoded

    def _rewind(self) -> None:
        self._container.close()
        self._container, self._stream = self._open()

    def _seek(self, key: int) -> None:
        index = self._index
        if key < 0:
            target = int(index.pts[0])
        elif _SEEK_BY_DISPLAY_TIME & set(self.container_formats):
            target = int(index.keys[key])
        else:
            target = int(index.key_dts[key])
        self._container.seek(target, stream=self._stream, backward=True)

    def _decode(self, asked: set[int] | None) -> Iterator:
        """Frames from here on: those in `asked` surely, others only where these need them."""
        context = self._stream.codec_context
        droppable = asked is not None and _can_drop_frames(context)
        for packet in demux_packets(self._container, self._stream):
            if droppable:
                needed = packet.pts is None or packet.pts in asked
                context.skip_frame = "DEFAULT" if needed else "NONREF"
            try:
                frames = context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                continue  # one damaged packet; the frames around it may be whole
            yield from frames

    def _picture(self, frame, size: Callable[[int, int], tuple[int, int]]) -> np.ndarray:
        width, height = self._size
        matrix = self._matrices.of(frame)
        if matrix.turns:
            width, height = size(width, height)
        else:
            height, width = size(height, width)
        picture = self._reformatter.reformat(frame, width, height, "rgb24", threads=1)
        return matrix.upright(picture.to_ndarray())


def _can_drop_frames(context) -> bool:
    """Whether the codec's droppable frames are droppable for every other frame."""
    if context.name == "hevc":
        # With temporal layers, a frame that its own layer can spare may serve a higher one.
        # Byte 21 of the MP4 and Matroska configuration record holds the number of layers.
        record = context.extradata
        return bool(record and len(record) > 21 and record[0] == 1 and record[21] >> 3 & 7 == 1)
    return context.name in _DROPPABLE_CODECS
