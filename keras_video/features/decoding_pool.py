"""`DecodingPool`: threads that turn videos into planned clips, while the network runs."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from keras_video.data.video_reader import VideoReader
from keras_video.features.clip_assembly import ClipAssembly
from keras_video.features.step_plan import StepPlan

_PATIENCE = 0.1


@dataclass(eq=False)
class VideoJob:
    """A video to decode.

    Args:
        key: what the caller calls it.
        open: returns the video's reader; called in a thread, once or more.
        known: called with the plan, in a thread; returns outputs of segments that need no
            decoding, float32 `(units, steps, channels)`.
    """

    key: Any
    open: Callable[[], VideoReader]
    known: Callable[[StepPlan], dict[int, np.ndarray]] = lambda plan: {}
    failed: bool = field(default=False, init=False)


class Planned(NamedTuple):
    """A video was opened."""

    job: VideoJob
    plan: StepPlan
    duration: float
    fps: float
    known: dict[int, np.ndarray]


class Decoded(NamedTuple):
    """A unit of a video; `number` counts through the whole plan."""

    job: VideoJob
    segment: int
    number: int
    frames: np.ndarray


class Failed(NamedTuple):
    """A video cannot be read; units of it that were decoded are of no use."""

    job: VideoJob
    error: Exception


class _Ended(NamedTuple):
    error: BaseException | None


class _Stopped(Exception):
    """The pool was closed."""


class _Task(NamedTuple):
    job: VideoJob
    plan: StepPlan
    segment: int


class DecodingPool:
    """Decodes videos in threads and hands out what they give, in bounded memory.

    A long video has several segments, and as many threads may work on it; threads take the
    segments of a video that has begun before the next video.

    Args:
        jobs: the videos; taken from when a thread has nothing else to do.
        plan: called with an open reader; returns its `StepPlan`.
        visit: called as `visit(reader, indices, function)`, calls `function(index, frame)`.
        workers: number of threads.
        capacity: units that wait for the network at most.

    Attributes:
        seconds: that threads spent on opening and decoding, all together.
        waited: seconds that the caller waited for them.

    Example:

    >>> with DecodingPool(jobs, plan, pipeline.visit_frames, workers=2, capacity=64) as pool:
    ...     for event in pool:
    ...         print(type(event).__name__)
    """

    def __init__(
        self,
        jobs: Iterable[VideoJob],
        plan: Callable[[VideoReader], StepPlan],
        visit: Callable,
        workers: int,
        capacity: int,
    ):
        self._jobs = iter(jobs)
        self._plan, self._visit = plan, visit
        self._events: queue.Queue = queue.Queue(capacity)
        self._tasks: deque[_Task] = deque()
        # Videos that are being opened: they may still give tasks.
        self._opening = 0
        self._condition = threading.Condition()
        self._stop = threading.Event()
        self.seconds = self.waited = 0.0
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True)
            for number in range(workers)
        ]

    def __enter__(self) -> "DecodingPool":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._stop.set()
        with self._condition:
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Iterator[Planned | Decoded | Failed]:
        """Yields what the threads give until all videos are done."""
        for _ in self._threads:
            while not isinstance(event := self._take(), _Ended):
                yield event
            if event.error is not None:
                raise event.error

    def _take(self):
        started = time.perf_counter()
        event = self._events.get()
        self.waited += time.perf_counter() - started
        return event

    def _work(self) -> None:
        clock = _Clock()
        worker = _Worker(self, clock)
        error = None
        try:
            while (task := self._next()) is not None:
                worker.do(task)
        except _Stopped:
            pass
        except BaseException as raised:
            error = raised
        finally:
            worker.close()
            with self._condition:
                self.seconds += clock.seconds
            self._put(_Ended(error), always=True)

    def _next(self) -> _Task | VideoJob | None:
        """What to do next; None when nothing is left, or will be."""
        with self._condition:
            while not self._stop.is_set():
                while self._tasks:
                    task = self._tasks.popleft()
                    if not task.job.failed:
                        return task
                job = next(self._jobs, None)
                if job is not None:
                    self._opening += 1
                    return job
                if not self._opening:
                    return None
                self._condition.wait()
        raise _Stopped

    def _opened(self, tasks: Iterable[_Task]) -> None:
        with self._condition:
            self._opening -= 1
            self._tasks.extend(tasks)
            self._condition.notify_all()

    def _put(self, event, always: bool = False) -> None:
        while True:
            try:
                return self._events.put(event, timeout=_PATIENCE)
            except queue.Full:
                if self._stop.is_set():
                    if always:
                        return
                    raise _Stopped from None


class _Clock:
    """Adds up the seconds between `start` and `stop`."""

    def __init__(self):
        self.seconds = 0.0

    def start(self) -> None:
        self._started = time.perf_counter()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self._started


class _Worker:
    """What one thread does; it keeps the reader of its last video open."""

    def __init__(self, pool: DecodingPool, clock: _Clock):
        self._pool, self._clock = pool, clock
        self._reader: VideoReader | None = None
        self._job: VideoJob | None = None

    def do(self, task: _Task | VideoJob) -> None:
        job = task if isinstance(task, VideoJob) else task.job
        opening = task is job
        self._clock.start()
        try:
            try:
                self._open(job)
                if opening:
                    task, others = self._begin(job)
                    opening = False
                    self._pool._opened(others)
                if task is not None:
                    self._decode(task)
            finally:
                if opening:
                    self._pool._opened(())
                self._clock.stop()
        except (ValueError, OSError) as error:
            job.failed = True
            self.close()
            self._pool._put(Failed(job, error))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._job = None

    def _open(self, job: VideoJob) -> None:
        if self._job is not job:
            self.close()
            self._reader = job.open()
            self._job = job

    def _begin(self, job: VideoJob) -> tuple[_Task | None, list[_Task]]:
        """Plans a video; returns the first of its segments and the others."""
        plan = self._pool._plan(self._reader)
        known = job.known(plan)
        tasks = [_Task(job, plan, n) for n in range(len(plan.segments)) if n not in known]
        self._give(Planned(job, plan, self._reader.duration, self._reader.fps, known))
        return (tasks[0], tasks[1:]) if tasks else (None, [])

    def _decode(self, task: _Task) -> None:
        start, end = task.plan.segments[task.segment]
        assembly = ClipAssembly(task.plan.clips[start:end])

        def add(index: int, frame: np.ndarray) -> None:
            if self._pool._stop.is_set():
                raise _Stopped
            for number, clip in assembly.add(index, frame):
                self._give(Decoded(task.job, task.segment, start + number, clip))

        self._pool._visit(self._reader, assembly.indices, add)

    def _give(self, event) -> None:
        """Hands over an event; waiting for the network is not decoding."""
        self._clock.stop()
        self._pool._put(event)
        self._clock.start()
