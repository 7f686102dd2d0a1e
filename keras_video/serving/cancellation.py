"""`Cancellation`: tells work in other threads that nobody waits for it any more."""

import threading
from collections.abc import Callable


class Cancellation:
    """A flag that calls functions when it is set."""

    def __init__(self):
        self._lock = threading.Lock()
        self._callbacks: list[Callable] = []
        self._is_set = False

    @property
    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Sets the flag, once, and calls what is attached."""
        with self._lock:
            if self._is_set:
                return
            self._is_set = True
            for callback in self._callbacks:
                callback()

    def attach(self, callback: Callable) -> None:
        """Adds a function to call; at once where the flag is set already."""
        with self._lock:
            self._callbacks.append(callback)
            if self._is_set:
                callback()

    def detach(self, callback: Callable) -> None:
        """Removes it; when this returns, it is not called any more."""
        with self._lock:
            self._callbacks.remove(callback)
