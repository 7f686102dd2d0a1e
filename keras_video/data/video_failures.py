"""What a data set does about videos that cannot be read: names them, counts them, gives up."""

import logging
import threading
from dataclasses import dataclass

logger = logging.getLogger("keras_video")

VIDEO_CHECK = "keras-video dataset check"
_LISTED = 20


@dataclass(frozen=True)
class VideoFailure:
    """A video that could not be read, twice.

    Attributes:
        index: its number in the data set's records.
        source: its path or URL.
        reason: what the decoder said.
        epoch: when it was first met.
    """

    index: int
    source: str
    reason: str
    epoch: int


class TooManyFailuresError(RuntimeError):
    """More videos than allowed could not be read; the message lists them.

    Attributes:
        failures: tuple of `VideoFailure`.
    """

    def __init__(self, failures, max_failures: int, total: int, check: str | None = VIDEO_CHECK):
        self.failures = tuple(failures)
        self.max_failures, self.total, self.check = max_failures, total, check
        lines = [f"  {failure.source}: {failure.reason}" for failure in self.failures[:_LISTED]]
        if len(self.failures) > _LISTED:
            lines.append(f"  ... and {len(self.failures) - _LISTED} more")
        super().__init__(
            f"{len(self.failures)} of {total} videos could not be read, more than "
            f"`max_failures`={max_failures} allows. "
            + (f"`{check}` looks at all of them; raise" if check else "Raise")
            + " `max_failures` to go on without them.\n"
            + "\n".join(lines)
        )

    def __reduce__(self):
        return type(self), (self.failures, self.max_failures, self.total, self.check)


class FailureLog:
    """The videos of a data set that could not be read, each counted once. Safe in threads.

    Args:
        max_failures: how many are tolerated, by default 1 % of them and at least 10.
        total: number of videos in the data set.
        check: the command that looks at all of them, for the message, or `None`.
    """

    def __init__(self, max_failures: int | None, total: int, check: str | None = VIDEO_CHECK):
        self.max_failures = max(10, total // 100) if max_failures is None else max_failures
        self.total, self.check = total, check
        self._failures: dict[int, VideoFailure] = {}
        self._lock = threading.Lock()

    @property
    def failures(self) -> tuple[VideoFailure, ...]:
        """All of them, in order of their numbers."""
        with self._lock:
            return tuple(self._failures[index] for index in sorted(self._failures))

    def add(self, failure: VideoFailure, consequence: str) -> None:
        """Notes a failure, and logs it the first time.

        Raises:
            TooManyFailuresError: it is one too many.
        """
        with self._lock:
            new = failure.index not in self._failures
            self._failures.setdefault(failure.index, failure)
        if new:
            logger.warning("%s: %s; %s", failure.source, failure.reason, consequence)
        found = self.failures
        if len(found) > self.max_failures:
            raise TooManyFailuresError(found, self.max_failures, self.total, self.check)

    def __getstate__(self):
        return {**self.__dict__, "_lock": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._lock = threading.Lock()
