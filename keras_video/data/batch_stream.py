"""Batches in order, loaded ahead by threads, never more than a few of them in memory."""

import threading
import time
from collections import deque
from collections.abc import Callable

from keras_video.data.dataset_profile import StageTimes


class BatchStream:
    """Hands out the batches `start` to `stop - 1`, one after the other.

    The samples of the next batches are loaded while the consumer is busy: at most
    `prefetch + 1` batches are under way or ready. An exception comes out at its batch's turn, and
    the stream begins again at that batch when it is asked again.

    Args:
        submit: called as `submit(batch index)`, starts the loading of a batch's samples; returns
            the list of their futures.
        collect: called as `collect(batch index, results)`, makes the batch of them.
        start: first batch.
        stop: batch after the last.
        prefetch: number of batches to load ahead.
        times: where the seconds are added.
    """

    def __init__(
        self,
        submit: Callable[[int], list],
        collect: Callable[[int, list], tuple],
        start: int,
        stop: int,
        prefetch: int,
        times: StageTimes,
    ):
        self._submit, self._collect = submit, collect
        self.position, self.stop = start, stop
        self._prefetch, self._times = prefetch, times
        self._pending: deque[tuple[int, list]] = deque()
        self._left: float | None = None
        self._lock = threading.Lock()

    @property
    def finished(self) -> bool:
        return self.position >= self.stop

    def next(self) -> tuple:
        """The next batch.

        Raises:
            StopIteration: there is none left.
        """
        with self._lock:
            if self.finished:
                raise StopIteration
            asked = time.perf_counter()
            consumer = 0.0 if self._left is None else asked - self._left
            self._fill()
            index, futures = self._pending.popleft()
            try:
                results = [future.result() for future in futures]
                waited = time.perf_counter()
                batch = self._collect(index, results)
            except BaseException:
                self._cancel(futures)
                self._drop()
                raise
            self.position += 1
            self._fill()
            self._left = time.perf_counter()
            self._times.add(
                batches=1, consumer=consumer, wait=waited - asked, batch=self._left - waited
            )
            return batch

    def close(self) -> None:
        """Forgets what was loaded ahead, and starts nothing more."""
        with self._lock:
            self._drop()
            self.stop = self.position

    def _fill(self) -> None:
        while len(self._pending) <= self._prefetch:
            index = self.position + len(self._pending)
            if index >= self.stop:
                return
            self._pending.append((index, self._submit(index)))

    def _drop(self) -> None:
        while self._pending:
            self._cancel(self._pending.pop()[1])

    @staticmethod
    def _cancel(futures: list) -> None:
        for future in futures:
            future.cancel()
