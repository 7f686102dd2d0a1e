"""What is left of a run whose loss was no number: the batch, to look at."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_video.training.durable_files import PARTIAL

_PARTS = ("clips", "labels", "weights")


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite, so that training can't go on.

    Args:
        step: the train step, counted from 1.
        loss: the loss.
        batch: the file that `save_nan_batch` wrote, or `None`.
        learning_rate: the learning rate of that step, or `None`.
    """

    def __init__(
        self,
        step: int,
        loss: float,
        batch: str | os.PathLike | None = None,
        learning_rate: float | None = None,
    ):
        self.step = step
        self.loss = float(loss)
        self.batch = None if batch is None else Path(batch)
        self.learning_rate = learning_rate
        rate = "" if learning_rate is None else f" at a learning rate of {float(learning_rate):g}"
        where = f" Its batch lies in {batch}: look at it with `numpy.load`." if batch else ""
        super().__init__(
            f"The loss of step {step} is {self.loss}{rate}, so that training can't go on.{where} "
            "Start again from the last checkpoint with a lower learning rate, a longer warm-up or "
            "clipped gradients (`global_clipnorm`); in float16, try bfloat16."
        )


def save_nan_batch(
    directory: str | os.PathLike,
    batch: Sequence[np.ndarray],
    record_names: Sequence[str],
    step: int,
) -> Path:
    """Saves the batch whose loss was no number.

    Args:
        directory: the run's directory.
        batch: `(clips,)`, `(clips, labels)` or `(clips, labels, weights)`: arrays, or dicts or
            tuples of arrays.
        record_names: the name of each clip's video; may be empty.
        step: the train step, counted from 1.

    Returns:
        The file, `nan_batch_step_<step>.npz` with `clips`, `labels`, `weights` (where given) and
        `names`; `clips/features` for the entry `features` of a dict.

    Raises:
        ValueError: if `batch` has other than 1 to 3 parts.
        OSError: if it can't be written.

    Example:

    >>> path = save_nan_batch("runs/a", (clips, labels), ["a.mp4", "b.mp4"], step=1200)
    >>> with np.load(path) as batch:
    ...     print(batch["names"], batch["clips"].shape)
    """
    if len(batch) not in (1, 2, 3):
        raise ValueError(
            "`batch` is (clips,), (clips, labels) or (clips, labels, weights). "
            f"Received: {len(batch)} parts"
        )
    parts = {}
    for name, part in zip(_PARTS, batch, strict=False):
        if isinstance(part, tuple | list):
            part = dict(enumerate(part))
        entries = part if isinstance(part, dict) else {"": part}
        for key, array in entries.items():
            parts[f"{name}/{key}".rstrip("/")] = _storable(array)
    path = Path(directory) / f"nan_batch_step_{step:09d}.npz"
    partial = path.with_name(path.name + PARTIAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(partial, "wb") as file:
            np.savez(file, names=np.asarray(list(record_names), str), **parts)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path


def non_finite_loss(
    step: int, loss: float, learning_rate: float, directory: Path, batch: tuple, names: list[str]
) -> NonFiniteLossError:
    """The error of a step whose loss was no number; its batch is saved where that is possible."""
    try:
        path = save_nan_batch(directory, batch, names, step)
    except OSError:
        path = None
    return NonFiniteLossError(step, loss, path, learning_rate)


def names_of_batch(data, epoch: int, index: int) -> list[str]:
    """The videos in a batch of a data set, empty where it is filled up; none if it has no names."""
    records = getattr(data, "records", None)
    if records is None:
        return []
    numbers = data.record_indices(index, epoch)
    return [str(records[number].source) if number >= 0 else "" for number in numbers]


def _storable(array) -> np.ndarray:
    array = np.asarray(array)
    # NumPy's files know no bfloat16.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array
