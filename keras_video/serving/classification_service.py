"""`ClassificationService`: from a file of a stranger to the names of what happens in it."""

import asyncio
import dataclasses
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.window_views import WINDOW_SECONDS
from keras_video.models.classify_videos import average_views
from keras_video.serving.batcher import Batcher
from keras_video.serving.cancellation import Cancellation
from keras_video.serving.limited_reader import VideoLimits
from keras_video.serving.request_error import RequestError
from keras_video.serving.server_metrics import ServerMetrics
from keras_video.serving.settings import Settings
from keras_video.serving.temporary_files import TemporaryFiles
from keras_video.serving.worker_pool import WorkerPool


class ClassificationService:
    """Decodes in processes, computes in batches, answers for a `Predictor`.

    Args:
        predictor: a `keras_video.inference.Predictor` of a classifier.
        settings: limits.
        metrics: what is counted.

    Raises:
        ValueError: the model is no classifier, or its preprocessor cannot work in other processes.
    """

    task = "classify"

    def __init__(self, predictor, settings: Settings, metrics: ServerMetrics):
        pipeline = predictor.preprocessor
        if (
            predictor.view_average is None
            or predictor.with_preprocessing
            or len(predictor.runtime.inputs) != 1
        ):
            raise ValueError(
                "A server takes classifiers whose preprocessing is not part of the exported graph: "
                "`keras-video export` without --with-preprocessing. Received: a model of "
                f"{sorted(predictor.runtime.inputs)} to {sorted(predictor.runtime.outputs)}"
            )
        if not isinstance(pipeline, VideoPipeline) and not hasattr(pipeline, "get_config"):
            raise ValueError(
                "A server needs a model with a `VideoPipeline` or `VideoPreprocessor`. "
                f"Received: preprocessor={pipeline!r}"
            )
        config = {name: pipeline.get_config()[name] for name in VideoPipeline().get_config()}
        self._pipeline = VideoPipeline(**config)
        self._predictor, self._settings, self._metrics = predictor, settings, metrics
        ((_, spec),) = predictor.runtime.inputs.items()
        self._sizes = None if spec.shape[0] is None else (spec.shape[0],)
        self.labels = list(predictor.labels or ()) or [
            str(number) for number in range(predictor.runtime.outputs["logits"].shape[-1])
        ]
        self.runtime = predictor.runtime.name
        self.window_seconds = settings.window_seconds or WINDOW_SECONDS
        self.hop_seconds = settings.hop_seconds or self.window_seconds / 2
        self.capacity = settings.num_workers + settings.max_queue
        self.answer_seconds = settings.request_seconds
        self.is_ready, self.failure = False, None
        self.pool = self.batcher = None

    def start(self, files: TemporaryFiles) -> None:
        """Starts the processes, and computes a first batch of each size. Takes a while.

        Raises:
            RuntimeError: the processes do not start.
            Exception: what the network raises.
        """
        settings = self._settings
        self.batcher = Batcher(
            self._predictor.logits,
            settings.max_batch,
            settings.max_wait_ms / 1000,
            self._sizes,
            on_batch=self._metrics.note_batch,
        )
        self.pool = WorkerPool(
            {
                "kind": "views",
                "limits": dataclasses.asdict(video_limits(settings)),
                "options": {"pipeline": self._pipeline.get_config()},
                "memory": settings.worker_memory,
                "file_bytes": 0,
                "seconds": settings.decode_seconds,
            },
            settings.num_workers,
            settings.worker_videos,
            files.folder,
            self._metrics.worker_restarts.inc,
        )
        pipeline = self._pipeline
        shape = (pipeline.num_frames, pipeline.crop_size, pipeline.crop_size, 3)
        self.batcher.warm_up(np.zeros(shape, "uint8"))
        self.is_ready = True

    def close(self) -> None:
        """Ends processes and threads."""
        self.is_ready = False
        if self.pool is not None:
            self.pool.close()
        if self.batcher is not None:
            self.batcher.close()

    async def answer(self, path: Path, top_k: int = 5, windows: bool = False) -> dict:
        """What `POST /v1/classify` answers, without `id` and `model`.

        Raises:
            RequestError: the video is refused.
        """
        work = _Work(self.batcher)
        job = {"path": str(path)}
        if windows:
            job["windows"] = {
                "seconds": self.window_seconds,
                "hop": self.hop_seconds,
                "most": self._settings.max_windows,
            }
        start = time.perf_counter()
        try:
            await asyncio.wrap_future(self.pool.submit(job, work.take, work.cancellation))
            if work.whole is None:
                raise RequestError(422, "decoder_crashed", "The decoder said nothing of this file")
            whole = await asyncio.wrap_future(work.whole)
            computed = [await asyncio.wrap_future(future) for _, _, future in work.windows]
        finally:
            work.cancel()
        batches = dict(whole.seconds)
        for part in computed:
            batches |= part.seconds
        seconds = time.perf_counter() - start
        network = sum(batches.values())
        return {
            "video": work.video,
            "predictions": self._best(whole.outputs, top_k),
            "windows": [
                {"start": begin, "end": end, "predictions": self._best(part.outputs, top_k)}
                for (begin, end, _), part in zip(work.windows, computed, strict=True)
            ],
            "timings": {
                "decode": work.decode_seconds,
                "queue": max(0.0, seconds - work.decode_seconds - network),
                "network": network,
            },
        }

    def _best(self, logits: np.ndarray, top_k: int) -> list[dict]:
        scores = average_views(logits, self._predictor.view_average)
        return self._predictor.best(scores, top_k)


class _Work:
    """What a decoding process said of one video so far."""

    def __init__(self, batcher: Batcher):
        self._batcher = batcher
        self._lock = threading.Lock()
        self.cancellation = Cancellation()
        self.video: dict = {}
        self.whole: Future | None = None
        self.windows: list[tuple[float, float, Future]] = []
        self.decode_seconds = 0.0

    def take(self, header: dict, payload: np.ndarray | None) -> None:
        if "video" in header:
            self.video = header["video"]
        elif "done" in header:
            self.decode_seconds = float(header["done"])
        elif payload is not None:
            future = self._batcher.submit(payload, self.cancellation)
            with self._lock:
                if self.cancellation.is_set:
                    future.cancel()
            if header["views"] == "whole":
                self.whole = future
            else:
                self.windows.append((float(header["start"]), float(header["end"]), future))

    def cancel(self) -> None:
        """Gives up what is not done."""
        with self._lock:
            self.cancellation.set()
        for future in (self.whole, *(future for *_, future in self.windows)):
            if future is not None:
                future.cancel()


def video_limits(settings: Settings) -> VideoLimits:
    """The limits of a video among those of a server."""
    return VideoLimits(settings.max_seconds, settings.max_pixels, settings.max_frames)
