"""How fast a run goes, and how much of its time it waits for data."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class ThroughputMeter:
    """Counts clips and the time spent waiting for them.

    Args:
        clock: a function that returns seconds.

    Example:

    >>> meter = ThroughputMeter()
    >>> for clips, labels in meter.waiting(dataset):
    ...     train(clips, labels)
    ...     meter.add(len(clips))
    >>> meter.take()
    {'clips_per_second': 310.2, 'data_wait': 0.04, 'seconds': 12.4}
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self._clock = clock
        self.reset()

    def waiting(self, batches: Iterable[T]) -> Iterator[T]:
        """Yields batches, and counts the time until each comes as waiting for data."""
        iterator = iter(batches)
        while True:
            start = self._clock()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            finally:
                self._waited += self._clock() - start
            yield batch

    def add(self, clips: int) -> None:
        """Counts clips that were trained on."""
        self._clips += clips

    def take(self) -> dict[str, float]:
        """Returns the numbers since the last `take` or `reset`, and starts anew.

        Returns:
            `clips_per_second`, `data_wait` (the share of time spent waiting for data, 0 to 1) and
            `seconds`.
        """
        seconds = self._clock() - self._start
        taken = {
            "clips_per_second": self._clips / seconds if seconds else 0.0,
            "data_wait": self._waited / seconds if seconds else 0.0,
            "seconds": seconds,
        }
        self.reset()
        return taken

    def reset(self) -> None:
        """Starts anew: what was counted, such as a validation or a save, is forgotten."""
        self._start = self._clock()
        self._waited = 0.0
        self._clips = 0
