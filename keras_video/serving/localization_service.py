"""`LocalizationService`: from a file of a stranger to the actions in it."""

import asyncio
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keras_video.serving.cancellation import Cancellation
from keras_video.serving.classification_service import video_limits
from keras_video.serving.request_error import RequestError
from keras_video.serving.server_metrics import ServerMetrics
from keras_video.serving.settings import Settings
from keras_video.serving.temporary_files import TemporaryFiles
from keras_video.serving.worker_pool import WorkerPool

# Of the file that is written for the application; 600 s of 340x256 pixels take about 100 MB.
_REENCODED_BYTES = 2**31 - 1
_SHORT_SIDE = 256


class LocalizationService:
    """Encodes uploads anew in a limited process, then lets the application read them.

    One video at a time; the others wait.

    Args:
        localizer: a `keras_video.applications.ActionLocalizer`.
        settings: limits.
        metrics: what is counted.
    """

    task = "localize"

    def __init__(self, localizer, settings: Settings, metrics: ServerMetrics):
        self._localizer, self._settings, self._metrics = localizer, settings, metrics
        self.labels = list(localizer.labels)
        self.runtime = "keras"
        self.window_seconds = None
        self.capacity = 1 + settings.max_localize_queue
        self.answer_seconds = settings.localize_seconds
        self.is_ready, self.failure = False, None
        self.pool = self._files = None
        self._thread = ThreadPoolExecutor(1, "localize")

    def start(self, files: TemporaryFiles) -> None:
        """Starts the process that encodes.

        Raises:
            RuntimeError: it does not start.
        """
        settings, preprocessor = self._settings, self._localizer.extractor.preprocessor
        self._files = files
        self.pool = WorkerPool(
            {
                "kind": "reencode",
                "limits": dataclasses.asdict(video_limits(settings)),
                "options": {
                    "short_side": getattr(preprocessor, "short_side", None) or _SHORT_SIDE,
                    "with_sound": self._localizer.uses_sound,
                },
                "memory": settings.worker_memory,
                "file_bytes": _REENCODED_BYTES,
                "seconds": settings.localize_seconds,
            },
            1,
            settings.worker_videos,
            files.folder,
            self._metrics.worker_restarts.inc,
        )
        self.is_ready = True

    def close(self) -> None:
        """Ends the process; a video that is being localised is waited for."""
        self.is_ready = False
        if self.pool is not None:
            self.pool.close()
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def answer(self, path: Path) -> dict:
        """What `POST /v1/localize` answers, without `id` and `model`.

        Raises:
            RequestError: the video is refused.
        """
        said = {}
        cancellation = Cancellation()
        target = self._files.new_path(".mp4")
        job = {"path": str(path), "target": str(target)}
        start = time.perf_counter()
        encoding = self.pool.submit(job, lambda header, _: said.update(header), cancellation)
        try:
            await asyncio.wrap_future(encoding)
            if "video" not in said or not target.is_file():
                raise RequestError(422, "decoder_crashed", "The decoder said nothing of this file")
            self._files.grow(target, target.stat().st_size)
            # The thread deletes the file, also when nobody waits for it any more.
            work = self._thread.submit(self._localize, target)
        except BaseException:
            cancellation.set()
            # Not before the process that writes it is gone.
            encoding.add_done_callback(lambda _: self._files.remove(target))
            raise
        try:
            timeline, network = await asyncio.shield(asyncio.wrap_future(work))
        except asyncio.CancelledError:
            if work.cancel():
                self._files.remove(target)
            raise
        numbers = {label: number for number, label in enumerate(self.labels)}
        decode = float(said.get("done", 0.0))
        return {
            "video": said["video"],
            "actions": [
                {
                    "start": action.start,
                    "end": action.end,
                    "label": action.label,
                    "class_id": numbers[action.label],
                    "score": action.score,
                }
                for action in timeline.detections
            ],
            "timings": {
                "decode": decode,
                "queue": max(0.0, time.perf_counter() - start - decode - network),
                "network": network,
            },
        }

    def _localize(self, path: Path):
        start = time.perf_counter()
        try:
            return self._localizer(path, name="video"), time.perf_counter() - start
        finally:
            self._files.remove(path)
