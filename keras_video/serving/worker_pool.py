"""`WorkerPool`: decoding processes that are kept warm, and replaced."""

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from keras_video.serving.cancellation import Cancellation
from keras_video.serving.request_error import RequestError
from keras_video.serving.worker_process import WorkerLostError, WorkerProcess

_TRIES = 3


class WorkerPool:
    """A thread for each process hands jobs over and takes the answers.

    Args:
        config: of the processes, see `decoding_worker`.
        workers: how many.
        videos: after so many jobs a process is replaced.
        folder: where they start.
        on_restart: called when a process was lost or had to be stopped.

    Raises:
        RuntimeError: the processes do not start.
    """

    def __init__(
        self,
        config: dict,
        workers: int,
        videos: int,
        folder: str | os.PathLike,
        on_restart: Callable[[], None] = lambda: None,
    ):
        self._config, self._videos, self._folder = config, videos, folder
        self._on_restart = on_restart
        self._lock = threading.Lock()
        self._is_closed = False
        self._all: set[WorkerProcess] = set()
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(workers, "decode")
        try:
            for _ in range(workers):
                self._idle.put(self._start())
            for worker in tuple(self._all):
                worker.wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """Of the processes that there are."""
        with self._lock:
            return [worker.pid for worker in self._all]

    def submit(
        self,
        job: dict,
        take: Callable[[dict, np.ndarray | None], None],
        cancellation: Cancellation,
    ) -> Future:
        """Gives a job to the next process that is free.

        Args:
            job: what it gets.
            take: called with each message, in a thread of the pool; may block.
            cancellation: kills the process.

        Returns:
            A future of nothing; or of the `RequestError`.
        """
        return self._threads.submit(self._work, job, take, cancellation)

    def close(self) -> None:
        """Ends all processes; whoever waits for one gets an error."""
        with self._lock:
            self._is_closed = True
            workers = tuple(self._all)
        for worker in workers:
            worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in workers:
            self._end(worker)

    def _work(self, job: dict, take: Callable, cancellation: Cancellation) -> None:
        for _ in range(_TRIES):
            if cancellation.is_set:
                return
            worker = self._idle.get()
            try:
                self._run(worker, job, take, cancellation)
                return
            except WorkerLostError:
                continue
            finally:
                self._idle.put(self._renewed(worker))
        raise RequestError(503, "no_decoder", "The server has no decoder now. Try again later", 5)

    def _run(self, worker: WorkerProcess, job: dict, take, cancellation: Cancellation) -> None:
        cancellation.attach(worker.kill)
        worker.is_good = False
        try:
            for header, payload in worker.run(job):
                take(header, payload)
            worker.is_good = True
        except RequestError as error:
            worker.is_good = error.code not in ("decoder_crashed", "decoding_too_slow")
            raise
        finally:
            cancellation.detach(worker.kill)
            worker.is_good &= not cancellation.is_set

    def _renewed(self, worker: WorkerProcess) -> WorkerProcess:
        """The worker, or one in its place."""
        if self._is_closed or (worker.is_good and worker.jobs < self._videos):
            return worker
        if not worker.is_good:
            worker.kill()
            self._on_restart()
        try:
            new = self._start()
        except (OSError, MemoryError):
            return worker  # None is to be had now; the next job tries again.
        self._end(worker)
        return new

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._config, self._folder)
        with self._lock:
            self._all.add(worker)
            closed = self._is_closed
        if closed:
            worker.kill()
        return worker

    def _end(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker not in self._all:
                return
            self._all.remove(worker)
        worker.close()
