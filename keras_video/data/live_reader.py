"""`LiveReader`: the frames of a camera or a network stream, always the newest ones."""

import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from keras_video.data.display_matrix import DisplayMatrices
from keras_video.data.remote_files import is_url
from keras_video.data.video_decode_error import VideoDecodeError

# Where a stream does not say it.
_USUAL_FPS = 25.0
# A gap of more is a new start of the stream's clock, not so many frames.
_LONGEST_GAP_SECONDS = 2.0


class LiveReader:
    """Frames of a live source, one after the other, at a constant rate.

    A thread decodes as fast as frames come. Who is slow at taking them does not fall behind: when
    `max_waiting` frames wait, the oldest is dropped and counted, and what comes next follows with a
    cut. Files are not live: their frames come faster than any network takes them; see
    `keras_video.inference.Predictor.classify_windows` for these.

    Args:
        source: a URL that FFmpeg knows (`rtsp://`, `http://`, `udp://`, ...), a device
            (`/dev/video0`) or named pipe, or a binary file object that is read from, such as
            `sys.stdin.buffer`.
        fps: frames a second that are given: frames are left out or repeated by the time stamps of
            the stream. `None` (default) gives each frame of the stream once.
        format: FFmpeg's name of the source's format, where it does not find out, such as `"v4l2"`
            or `"mpegts"`.
        options: of FFmpeg, such as `{"rtsp_transport": "tcp"}`.
        max_waiting: how many decoded frames may wait to be taken. Defaults to 64.
        timeout: seconds of silence after which a URL or device counts as gone. Defaults to 10.

    Attributes:
        fps: frames a second that are given.
        dropped: frames that nobody took in time.
        time: of the frame that was given last, in seconds by the stream's clock.

    Raises:
        VideoDecodeError: there is no such source, it holds no video, or it breaks off with an
            error.
        ValueError: an argument out of range.

    Example:

    >>> with LiveReader("rtsp://camera/stream", fps=25) as camera:
    ...     for window in predictor.classify_stream(camera, camera.fps):
    ...         print(window.start, window.predictions[0], camera.dropped)
    """

    def __init__(
        self,
        source,
        fps: float | None = None,
        *,
        format: str | None = None,
        options: Mapping[str, str] | None = None,
        max_waiting: int = 64,
        timeout: float = 10.0,
    ):
        if fps is not None and not (isinstance(fps, int | float) and 0 < fps < 1e4):
            raise ValueError(f"`fps` is a number of frames a second above 0. Received: fps={fps!r}")
        if not isinstance(max_waiting, int) or max_waiting < 1:
            raise ValueError(
                "`max_waiting` must be a whole number from 1. "
                f"Received: max_waiting={max_waiting!r}"
            )
        self.name = str(getattr(source, "name", source))
        if isinstance(source, str | os.PathLike):
            path = os.fspath(source)
            # A colon in the name of a file is no protocol.
            source = path if is_url(path) or format is not None else f"file:{path}"
        elif not hasattr(source, "read"):
            raise ValueError(
                "A live source is a URL, a device, a pipe or a binary file object. "
                f"Received: {source!r:.80}"
            )
        try:
            self._container = av.open(
                source, format=format, options=dict(options or {}), timeout=timeout
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoDecodeError(self.name, f"no live video: {error}") from error
        stream = self._container.streams.best("video")
        if stream is None or stream.codec_context is None:
            self._container.close()
            raise VideoDecodeError(self.name, "the source holds no video that can be decoded")
        stream.codec_context.thread_count = 1
        self._stream = stream
        self._given_fps = fps
        self.fps = float(fps or stream.average_rate or stream.guessed_rate or _USUAL_FPS)
        self.dropped, self.time = 0, None
        self._waiting: deque = deque()
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._ended, self._error = False, None
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[np.ndarray]:
        reformatter, matrices = VideoReformatter(), DisplayMatrices()
        slot = None
        while (frame := self._take()) is not None:
            time = frame.time if frame.time is not None else 0.0
            count = 1
            if self._given_fps and frame.time is not None:
                slot = time if slot is None else slot
                if abs(time - slot) > _LONGEST_GAP_SECONDS:
                    slot = time
                # A quarter of a frame for rounded time stamps.
                count = max(int((time - slot) * self.fps + 1.25), 0)
                slot += count / self.fps
            if count:
                picture = reformatter.reformat(frame, frame.width, frame.height, "rgb24", threads=1)
                image = matrices.of(frame).upright(picture.to_ndarray())
                self.time = time
            for _ in range(count):
                yield image

    def close(self) -> None:
        """Stops reading. A file object stays open, and the thread waits for its last read."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            self._changed.notify_all()

    def __enter__(self) -> "LiveReader":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _take(self):
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._waiting:
                return self._waiting.popleft()
        if self._error is not None:
            raise VideoDecodeError(self.name, f"the stream broke off: {self._error}")
        return None

    def _work(self) -> None:
        """Decodes until the end; the thread owns the container."""
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    continue  # One damaged packet; the next ones may be whole.
                for frame in frames:
                    if not self._put(frame):
                        return
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._container.close()

    def _put(self, frame) -> bool:
        with self._changed:
            if self._ended:
                return False
            if len(self._waiting) == self._max_waiting:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(frame)
            self._changed.notify()
        return True
