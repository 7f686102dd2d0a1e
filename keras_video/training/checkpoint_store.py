"""The checkpoints of a run: each whole or not there, the last few and the best kept."""

import contextlib
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_video.presets.errors import one_line
from keras_video.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    DamagedCheckpointError,
    read_checkpoint,
    read_facts,
    write_checkpoint,
)
from keras_video.training.durable_files import PARTIAL, sync

_NAME = re.compile(r"step_(\d+)(?:_(\d+))?")


class CheckpointStore:
    """Saves and finds the checkpoints of a run.

    A checkpoint is a folder `step_000001200` with `arrays.safetensors` and `checkpoint.json`. It
    is written beside its place, brought to the disk and renamed, before an older one is deleted:
    a kill, a power cut or a full disk at any moment leaves the checkpoints that were whole.
    Which is the last and which the best stands in the checkpoints themselves, so that no list can
    disagree with them. What an interrupted save left is removed when the store is made.

    One process at a time writes to a directory (see `RunDirectory`, which locks it); any number
    reads. The directory is a local or mounted one.

    Args:
        directory: where to keep them, such as `runs/a/checkpoints`; made if it is missing.
        keep: how many of the latest to keep, 1 or more. The best one is kept besides.
        write: `False` for the workers that only read: nothing is made, removed or saved.

    Raises:
        ValueError: if `keep` is less than 1.

    Example:

    >>> store = CheckpointStore("runs/a/checkpoints", keep=3)
    >>> checkpoint = store.latest()
    >>> if checkpoint:
    ...     restore(checkpoint.arrays(), checkpoint.state)
    >>> store.save(1200, {"kernel": kernel}, {"epoch": 3, "data": dataset.state()}, best=True)
    """

    def __init__(self, directory: str | os.PathLike, keep: int = 3, *, write: bool = True):
        if keep < 1:
            raise ValueError(
                "`keep` is the number of latest checkpoints to keep, 1 or more. "
                f"Received: keep={keep!r}"
            )
        self.directory = Path(directory)
        self.keep = keep
        self.write = write
        if write:
            self.directory.mkdir(parents=True, exist_ok=True)
            for leftover in self.directory.glob(f"*{PARTIAL}"):
                shutil.rmtree(leftover, ignore_errors=True)

    def save(
        self, step: int, arrays: Mapping[str, np.ndarray], state: Mapping, best: bool = False
    ) -> Path | None:
        """Saves a checkpoint, then deletes those that are no longer kept.

        Args:
            step: the number of train steps done, not less than that of the latest checkpoint. The
                same step may be saved again; the later one counts.
            arrays: `{name: array}` of any shapes and number types, bfloat16 included.
            state: plain data that JSON can keep: numbers, text, lists, dicts with text as keys.
            best: whether this is now the best checkpoint of the run.

        Returns:
            The folder of the checkpoint, or `None` where the store doesn't write.

        Raises:
            CheckpointError: if the disk is full or can't be written to, or a later step is there;
                earlier checkpoints are as they were.
            TypeError: if `state` holds something else than plain data.
        """
        if not self.write:
            return None
        entries = self._entries()
        copy = 1
        if entries:
            last = entries[-1]
            if last.step > step:
                raise CheckpointError(
                    f"{self.directory} holds a later checkpoint, {last.path.name}: resume from it, "
                    f"or delete it, or use another directory. Received: step={step}"
                )
            copy = last.copy + 1 if last.step == step else 1
        path = self.directory / (f"step_{step:09d}" + (f"_{copy}" if copy > 1 else ""))
        partial = path.with_name(path.name + PARTIAL)
        try:
            partial.mkdir()
            write_checkpoint(partial, step, arrays, state, best)
            os.rename(partial, path)
            sync(self.directory)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            kept = "There is no earlier one."
            if entries:
                kept = f"The last one, {entries[-1].path}, is untouched."
            raise CheckpointError(
                f"The checkpoint of step {step} can't be saved: {one_line(error)}. {kept} "
                f"Free space on that disk (a new checkpoint is written before "
                f"an old one is deleted) and start again. Received: {str(self.directory)!r}"
            ) from error
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self._delete_old()
        return path

    def latest(self) -> Checkpoint | None:
        """The whole checkpoint of the highest step, or `None` if there is none.

        A damaged one is named in a warning and moved aside, to `damaged_step_...`, and the one
        before it is taken.

        Raises:
            CheckpointError: if a later version of keras_video wrote it.
        """
        for entry in reversed(self._entries()):
            try:
                return read_checkpoint(entry.path)
            except DamagedCheckpointError as error:
                aside = self._move_aside(entry.path) if self.write else entry.path
                warnings.warn(
                    f"The checkpoint of step {entry.step} is damaged and not used: {error}. "
                    f"It lies in {aside}.",
                    stacklevel=2,
                )
        return None

    def best(self) -> Checkpoint | None:
        """The checkpoint that was last saved with `best=True`, or `None` if there is none.

        Raises:
            CheckpointError: if it is damaged, or a later version of keras_video wrote it.
        """
        entry = self._best_entry()
        if entry is None:
            return None
        try:
            return read_checkpoint(entry.path)
        except DamagedCheckpointError as error:
            raise DamagedCheckpointError(
                f"The best checkpoint, {entry.path}, is damaged: {error}"
            ) from error

    def _entries(self) -> list["_Entry"]:
        """All checkpoints, also damaged ones, from the first to the last."""
        if not self.directory.is_dir():
            return []
        entries = []
        for path in self.directory.iterdir():
            if match := _NAME.fullmatch(path.name):
                entries.append(_Entry(int(match[1]), int(match[2] or 1), path))
        return sorted(entries)

    def _best_entry(self) -> "_Entry | None":
        for entry in reversed(self._entries()):
            with contextlib.suppress(DamagedCheckpointError):
                if read_facts(entry.path)["best"]:
                    return entry
        return None

    def _delete_old(self) -> None:
        entries = self._entries()
        last_of_step = {entry.step: entry for entry in entries}
        kept = {*list(last_of_step.values())[-self.keep :], self._best_entry()}
        for entry in entries:
            if entry in kept:
                continue
            doomed = entry.path.with_name(entry.path.name + PARTIAL)
            # A folder that can't be deleted now is no reason to stop a training.
            with contextlib.suppress(OSError):
                os.rename(entry.path, doomed)
                shutil.rmtree(doomed)

    def _move_aside(self, path: Path) -> Path:
        aside, number = path.with_name(f"damaged_{path.name}"), 1
        while aside.exists():
            number += 1
            aside = path.with_name(f"damaged_{path.name}_{number}")
        try:
            os.rename(path, aside)
        except OSError:
            return path
        return aside


class _Entry(NamedTuple):
    step: int
    copy: int
    path: Path
