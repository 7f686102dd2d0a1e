"""`Settings`: the limits of a server."""

import dataclasses
import os
from pathlib import Path

_MILLION = 10**6


def _limit(default, text: str, unit: str = "N"):
    return dataclasses.field(default=default, metadata={"help": text, "unit": unit})


@dataclasses.dataclass(frozen=True)
class Settings:
    """How much of everything a server gives to one request, and to all of them.

    The command line has an option for each, and its `--help` says what they mean.

    Args:
        max_bytes: of a file.
        max_seconds: that a video may last, by its header and by its frames.
        max_pixels: of a frame, width times height. The default lets 4K pass and not 8K.
        max_frames: of a video.
        max_windows: of a video, where they are asked for.
        window_seconds: length of a window; `None` for 10, as long as the clips of Kinetics.
        hop_seconds: from one window to the next; `None` for half a window.
        decode_seconds: that the decoder may work on one video.
        request_seconds: from the end of the upload to the answer.
        localize_seconds: the same where actions are localised, which takes longer.
        upload_seconds: that the upload may take.
        idle_seconds: without a byte, after which an upload is given up.
        drain_seconds: that requests may take to finish when the server is told to end.
        workers: processes that decode; `None` for one a core, at most 4.
        worker_memory: bytes of address space of each of these processes.
        worker_videos: after so many videos a process is replaced by a new one.
        max_queue: requests that may wait; what comes then is answered 503.
        max_localize_queue: the same where actions are localised.
        max_stored_bytes: of all uploads that lie in the temporary folder at one time.
        max_batch: views that the network takes at a time.
        max_wait_ms: milliseconds that a view waits for others to fill its batch, at most what
            `request_seconds` gives.
        allowed_urls: prefixes such as `"https://media.example.org/clips/"`, or hosts (with https),
            that videos may be loaded from. Defaults to none.
        temp_dir: where uploads are kept while they are worked on; `None` for the system's.

    Raises:
        ValueError: a number out of range, or a prefix that is none.

    Example:

    >>> settings = keras_video.serving.Settings(max_seconds=60, workers=2)
    """

    max_bytes: int = _limit(200 * _MILLION, "size of a file", "BYTES")
    max_seconds: float = _limit(600.0, "length of a video", "SECONDS")
    max_pixels: int = _limit(4096 * 2304, "width times height of a frame", "PIXELS")
    max_frames: int = _limit(36_000, "frames of a video")
    max_windows: int = _limit(600, "windows of a video")
    window_seconds: float | None = _limit(None, "length of a window (default: 10)", "S")
    hop_seconds: float | None = _limit(None, "from window to window (default: half a window)", "S")
    decode_seconds: float = _limit(30.0, "time to decode one video", "SECONDS")
    request_seconds: float = _limit(120.0, "time from the upload's end to the answer", "SECONDS")
    localize_seconds: float = _limit(600.0, "the same for localisation", "SECONDS")
    upload_seconds: float = _limit(120.0, "time of an upload", "SECONDS")
    idle_seconds: float = _limit(20.0, "pause in an upload", "SECONDS")
    drain_seconds: float = _limit(30.0, "time to finish when told to end", "SECONDS")
    workers: int | None = _limit(None, "processes that decode (default: one a core, at most 4)")
    worker_memory: int = _limit(2 * 2**30, "memory of each of these processes", "BYTES")
    worker_videos: int = _limit(500, "videos after which such a process is replaced")
    max_queue: int = _limit(256, "requests that may wait")
    max_localize_queue: int = _limit(8, "requests for localisation that may wait")
    max_stored_bytes: int = _limit(4000 * _MILLION, "size of all uploads at one time", "BYTES")
    max_batch: int = _limit(8, "views that the network takes at a time")
    max_wait_ms: float = _limit(5.0, "milliseconds that a view waits for others", "MS")
    allowed_urls: tuple[str, ...] = ()
    temp_dir: str | os.PathLike | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if "help" not in field.metadata or (value is None and field.default is None):
                continue
            whole = field.type in (int, int | None)
            lowest = 0 if field.name.startswith(("max_wait", "max_queue", "max_localize")) else None
            good = isinstance(value, int if whole else int | float) and value is not True
            if not good or not (value > 0 if lowest is None else value >= lowest) or value > 1e15:
                kind = "a whole number" if whole else "a number"
                bound = "above 0" if lowest is None else "from 0"
                raise ValueError(
                    f"`{field.name}` must be {kind} {bound}. Received: {field.name}={value!r}"
                )
        if self.max_wait_ms > 1000 * self.request_seconds:
            raise ValueError(
                "A view may not wait for others longer than its request may take. Received: "
                f"max_wait_ms={self.max_wait_ms:g}, request_seconds={self.request_seconds:g}"
            )
        if self.temp_dir is not None and not Path(self.temp_dir).is_dir():
            raise ValueError(f"There is no such folder. Received: temp_dir={str(self.temp_dir)!r}")
        if isinstance(self.allowed_urls, str):
            raise ValueError(
                "`allowed_urls` is a list of prefixes. "
                f"Received: allowed_urls={self.allowed_urls!r}"
            )
        from keras_video.serving.allowed_urls import AllowedUrls

        AllowedUrls(self.allowed_urls)

    @property
    def num_workers(self) -> int:
        """Processes that decode."""
        return self.workers or min(4, os.cpu_count() or 1)
