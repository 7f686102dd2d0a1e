"""`RunRecord`: how far a run is, and how well it did; kept in its checkpoints."""

import math
from dataclasses import asdict, dataclass
from typing import Any

LOWER_IS_BETTER = ("loss",)


@dataclass
class RunRecord:
    """What a run knows about itself, as plain numbers.

    Attributes:
        step: train steps done.
        epoch: epochs done, their evaluation included.
        batch: batches of the next epoch done; all of them where its evaluation is still to come.
        finished: whether the run is complete.
        result: the numbers of the last evaluation.
        best: those of the best evaluation.
        stale: evaluations since the last that was better in what is monitored.

    Example:

    >>> record = RunRecord()
    >>> record.note({"top1": 0.7, "loss": 1.1}, monitor="top1")
    True
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    finished: bool = False
    result: dict[str, float] | None = None
    best: dict[str, float] | None = None
    stale: int = 0

    def note(self, result: dict[str, float], monitor: str) -> bool:
        """Takes an evaluation into account; whether it is the best so far.

        A lower loss alone, at an equal number of what is monitored, is better but no progress.
        """
        improved = is_better(result, self.best, monitor)
        progressed = improved and (self.best is None or result[monitor] != self.best[monitor])
        self.result = result
        self.stale = 0 if progressed else self.stale + 1
        if improved:
            self.best = result
        return improved

    def is_out_of_patience(self, patience: int | None) -> bool:
        """Whether the last `patience` evaluations brought nothing better."""
        return patience is not None and self.stale >= max(1, patience)

    def to_state(self) -> dict[str, Any]:
        """The record as plain data."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "RunRecord":
        """The record that `to_state` returned, perhaps by way of JSON."""
        return cls(**state)


def is_better(result: dict[str, float], other: dict[str, float] | None, monitor: str) -> bool:
    """Whether an evaluation is better than another one, or than none; NaN never is.

    Of equal ones that with the lower loss: a small validation set is soon all right, by weights
    that go on learning.
    """
    if not math.isfinite(result[monitor]):
        return False
    if other is None:
        return True
    if result[monitor] == other[monitor]:
        return result.get("loss", math.inf) < other.get("loss", math.inf)
    return (result[monitor] < other[monitor]) == (monitor in LOWER_IS_BETTER)


def check_counts(**counts: int) -> None:
    """Raises `ValueError` for an argument that is no whole number from 1."""
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number from 1. Received: {name}={value!r}")
