"""Scalars for TensorBoard, without the tensorboard package."""

import os
import time
from collections.abc import Mapping
from pathlib import Path


class TensorBoardLog:
    """Writes scalars to an event file that TensorBoard shows.

    The file appears with the first scalar. TensorFlow is imported then, and not before.

    Args:
        directory: the folder for event files, such as `runs/a/tensorboard`.

    Example:

    >>> log = TensorBoardLog("runs/a/tensorboard")
    >>> log.write(step=20, scalars={"train/loss": 5.9})
    >>> log.close()
    """

    def __init__(self, directory: str | os.PathLike):
        self.directory = Path(directory)
        self._file = None
        self._purge_from: int | None = None

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes scalars of a step; they can be seen at once."""
        import tensorflow as tf

        values = [
            tf.compat.v1.Summary.Value(tag=tag, simple_value=float(value))
            for tag, value in scalars.items()
        ]
        self._add(step=step, summary=tf.compat.v1.Summary(value=values))

    def rewind(self, step: int) -> None:
        """Makes TensorBoard forget what was written before of later steps than `step`."""
        self._purge_from = step + 1

    def close(self) -> None:
        """Closes the file; a later `write` opens another."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _add(self, **event) -> None:
        import tensorflow as tf

        Event = tf.compat.v1.Event
        if self._file is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            if not any(self.directory.glob("events.out.tfevents.*")):
                # TensorBoard takes the first such event for the start, the others for restarts.
                self._purge_from = 0
            # TensorBoard reads the files of a folder in the order of their names.
            name = f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
            self._file = tf.io.TFRecordWriter(str(self.directory / name))
            self._record(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if self._purge_from is not None:
            start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
            self._record(Event(wall_time=time.time(), step=self._purge_from, session_log=start))
            self._purge_from = None
        self._record(Event(wall_time=time.time(), **event))
        self._file.flush()

    def _record(self, event) -> None:
        self._file.write(event.SerializeToString())
