"""`Batcher`: puts views of several requests together, because a network takes them faster so."""

import collections
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from keras_video.serving.cancellation import Cancellation
from keras_video.serving.request_error import RequestError

_LOG = logging.getLogger(__name__)
_BYTES_WAITING = 512 * 2**20


class Batcher:
    """Runs a network in one thread, on batches that are as full as a short wait makes them.

    Runtimes compile for every new shape, so batches are filled up to one of a few sizes, which
    `warm_up` computes once. A batch that fails is computed again request by request: only those
    that fail alone get the error.

    Args:
        run: computes `(batch, outputs)` of `(batch, ...)`.
        max_batch: views that it takes at a time.
        max_wait: seconds that a view waits for others.
        sizes: of batches, by default 1, 2, 4, ... up to `max_batch`.
        bytes_waiting: `submit` blocks while more than that is waiting.
        on_batch: called with the number of views of each batch, and the seconds that it took.

    Example:

    >>> batcher = Batcher(predictor.logits)
    >>> batcher.submit(views).result().outputs.shape
    (10, 400)
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], np.ndarray],
        max_batch: int = 8,
        max_wait: float = 0.005,
        sizes: Sequence[int] | None = None,
        bytes_waiting: int = _BYTES_WAITING,
        on_batch: Callable[[int, float], None] = lambda views, seconds: None,
    ):
        self._compute = run
        self.sizes = tuple(sorted(sizes or _powers_of_two(max_batch)))
        self._max_batch, self._max_wait = self.sizes[-1], max_wait
        self._bytes_waiting, self._on_batch = bytes_waiting, on_batch
        self._rows: collections.deque[tuple[_Item, int]] = collections.deque()
        self._changed = threading.Condition()
        self._bytes = 0
        self._is_closed = False
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._loop, name="network", daemon=True)
        self._thread.start()

    def warm_up(self, view: np.ndarray) -> None:
        """Computes a batch of each size, made of one view, before requests come.

        Raises:
            Exception: what the network raises.
        """
        for size in self.sizes:
            self._compute(np.repeat(view[None], size, axis=0))

    def submit(self, views: np.ndarray, cancellation: Cancellation | None = None) -> Future:
        """Adds views to what is waiting; blocks while that is too much.

        Args:
            views: `(views, ...)`, any number of them.
            cancellation: ends the blocking, too.

        Returns:
            A future of a `Computed`; cancelling it takes the views out.
        """
        item = _Item(views)
        with self._changed:
            while self._rows and self._bytes + views.nbytes > self._bytes_waiting:
                if self._is_closed or (cancellation is not None and cancellation.is_set):
                    break
                self._changed.wait(0.1)
            if self._is_closed:
                item.future.set_exception(_closed())
                return item.future
            self._bytes += views.nbytes
            self._rows.extend((item, row) for row in range(len(views)))
            self._changed.notify_all()
        return item.future

    def close(self) -> None:
        """Ends the thread after the batch that it computes; what waits gets an error."""
        with self._changed:
            self._is_closed = True
            items = {item for item, _ in self._rows}
            self._rows.clear()
            self._changed.notify_all()
        for item in items:
            item.fail(_closed())
        self._thread.join()

    def _loop(self) -> None:
        while rows := self._take():
            self._run([(item, row) for item, row in rows if not item.future.done()])

    def _take(self) -> list:
        """The next rows, a batch of them at most; none when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._is_closed)
            end = time.monotonic() + self._max_wait
            while len(self._rows) < self._max_batch and not self._is_closed:
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            rows = [self._rows.popleft() for _ in range(min(self._max_batch, len(self._rows)))]
            self._bytes -= sum(item.views[row].nbytes for item, row in rows)
            self._changed.notify_all()
            return rows

    def _run(self, rows: list) -> None:
        items = list(dict.fromkeys(item for item, _ in rows))
        if not items:
            return
        start = time.perf_counter()
        try:
            outputs = self._outputs(np.stack([item.views[row] for item, row in rows]))
        # Whatever it is, the thread goes on for the others.
        except Exception as error:
            if len(items) == 1:
                _LOG.exception("the network failed on a batch of %d views", len(rows))
                items[0].fail(error)
                return
            for item in items:
                self._run([(owner, row) for owner, row in rows if owner is item])
            return
        seconds = time.perf_counter() - start
        number = next(self._numbers)
        self._on_batch(len(rows), seconds)
        for (item, row), output in zip(rows, outputs, strict=True):
            item.add(row, output, number, seconds)

    def _outputs(self, batch: np.ndarray) -> np.ndarray:
        size = next(size for size in self.sizes if size >= len(batch))
        missing = size - len(batch)
        full = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch
        outputs = np.asarray(self._compute(full))
        if len(outputs) != size:
            raise RuntimeError(
                f"A network must give one output a view. Received: {len(outputs)} for {size} views"
            )
        return outputs[: len(batch)]


class Computed(collections.namedtuple("Computed", ("outputs", "seconds"))):
    """What became of views: `outputs`, and `seconds` of each batch that they were part of."""


class _Item:
    def __init__(self, views: np.ndarray):
        self.views = views
        self.future: Future = Future()
        self._outputs: dict[int, np.ndarray] = {}
        self._seconds: dict[int, float] = {}

    def add(self, row: int, output: np.ndarray, batch: int, seconds: float) -> None:
        self._outputs[row] = output
        self._seconds[batch] = seconds
        if len(self._outputs) == len(self.views) and self.future.set_running_or_notify_cancel():
            outputs = np.stack([self._outputs[row] for row in range(len(self.views))])
            self.future.set_result(Computed(outputs, self._seconds))

    def fail(self, error: Exception) -> None:
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


def _powers_of_two(most: int) -> list[int]:
    sizes = [1]
    while sizes[-1] < most:
        sizes.append(min(2 * sizes[-1], most))
    return sizes


def _closed() -> RequestError:
    return RequestError(503, "draining", "The server is ending. Try again later", 5)
