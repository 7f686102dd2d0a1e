"""`run_in_thread`: a producer in a thread of its own, and what it gives in this one."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

_PATIENCE = 0.1
_END = object()


def run_in_thread(
    produce: Callable[[Callable[[Any], None]], None], ahead: int = 2, name: str = "decode"
) -> Iterator:
    """Runs a function in a thread and yields what it puts, in order.

    The thread starts with the first `next` and has ended when the iterator has, also if that is
    closed early.

    Args:
        produce: called with a function `put`, which waits while there are `ahead` results.
        ahead: how many results may wait. Defaults to 2.
        name: of the thread.

    Yields:
        What was put. Exceptions of `produce` are raised here.
    """
    results: queue.Queue = queue.Queue(ahead)
    stopped = threading.Event()

    def put(result) -> None:
        while not stopped.is_set():
            try:
                return results.put(result, timeout=_PATIENCE)
            except queue.Full:
                continue
        raise _Stopped

    def work() -> None:
        error = None
        try:
            produce(put)
        except _Stopped:
            return
        # It is raised where the results are taken.
        except BaseException as raised:
            error = raised
        try:
            put((_END, error))
        except _Stopped:
            return

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        while True:
            result = results.get()
            if isinstance(result, tuple) and result[0] is _END:
                if result[1] is not None:
                    raise result[1]
                return
            yield result
    finally:
        stopped.set()
        thread.join()


class _Stopped(BaseException):
    """Nobody wants more results."""
