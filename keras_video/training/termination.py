"""A polite end: a signal becomes a flag that the loop looks at."""

import signal
import threading
import time


class Termination:
    """Turns SIGTERM and SIGINT (Ctrl-C) into a flag, so that a run can save and stop by itself.

    Within the `with` block, the first signal sets `requested`. A later one raises
    `KeyboardInterrupt`: somebody doesn't want to wait. The handlers from before come back at the
    end. Python gives signals to the main thread only; in any other thread nothing is changed and
    `requested` stays `False`.

    Args:
        grace: seconds, 0 or more, in which further signals count as the first: launchers and
            terminals often send it to a process group as well as to the process.

    Attributes:
        requested: whether a signal has come.
        signal_name: its name, such as `"SIGTERM"`, or `None`.

    Example:

    >>> with Termination() as termination:
    ...     for batch in batches:
    ...         train(batch)
    ...         if termination.requested:
    ...             save()
    ...             break
    """

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, grace: float = 1.0):
        self.grace = grace
        self.requested = False
        self.signal_name: str | None = None
        self._first = 0.0
        self._previous = {}

    def __enter__(self) -> "Termination":
        if threading.current_thread() is threading.main_thread():
            self._previous = {name: signal.signal(name, self._handle) for name in self._SIGNALS}
        return self

    def __exit__(self, *exception) -> None:
        for name, handler in self._previous.items():
            # None stands for a handler that wasn't installed by Python, and can't be by it.
            signal.signal(name, signal.SIG_DFL if handler is None else handler)
        self._previous = {}

    def _handle(self, number: int, frame) -> None:
        if not self.requested:
            self._first = time.monotonic()
            self.signal_name = signal.Signals(number).name
            self.requested = True
        elif time.monotonic() - self._first >= self.grace:
            raise KeyboardInterrupt
