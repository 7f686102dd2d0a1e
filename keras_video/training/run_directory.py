"""The directory of a run: its configuration, its logs, and a lock."""

import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from keras_video.training.csv_log import CsvLog
from keras_video.training.durable_files import write_durably
from keras_video.training.tensorboard_log import TensorBoardLog

CONFIG = "config.json"
TRAIN_LOG = "train.csv"
VALIDATION_LOG = "validation.csv"
_LOCK = ".lock"
_OWNER = ".owner.json"


class RunDirectory:
    """Where a run keeps what it is and what it did: one directory, one run, one process.

    It holds `config.json` (written by the first start), `train.csv`, `validation.csv` and
    `tensorboard/`. It is locked until `close` or the end of the process, whatever ends it.

    Args:
        path: the directory, local or mounted; made if it is missing.
        config: the run's configuration: a dict, or an `ml_collections.ConfigDict`, of plain data.
            `None` for runs without one.
        allow_changes: take a `config` that differs from the directory's, which `keep_config` then
            replaces.
        write: `False` for all workers but the first: nothing is made, locked or written.

    Raises:
        ValueError: if `config` differs from that of the run in this directory; every field that
            changed is named.
        TypeError: if `config` holds something else than plain data.
        RuntimeError: if another process uses the directory.

    Example:

    >>> with RunDirectory("runs/a", {"num_epochs": 50}) as directory:
    ...     directory.rewind(step=0)
    ...     directory.log_train({"step": 20, "epoch": 1, "loss": 5.9, "learning_rate": 0.01})
    ...     directory.log_validation({"step": 600, "epoch": 1, "loss": 5.1, "top1": 0.08})
    """

    def __init__(
        self,
        path: str | os.PathLike,
        config: Mapping | None = None,
        *,
        allow_changes: bool = False,
        write: bool = True,
    ):
        self.path = Path(path)
        self.write = write
        self._train = CsvLog(self.path / TRAIN_LOG)
        self._validation = CsvLog(self.path / VALIDATION_LOG)
        self._tensorboard = TensorBoardLog(self.path / "tensorboard")
        self._lock = None
        self._changed: dict | None = None
        config = None if config is None else _plain(config)
        if not write:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.path)
        try:
            if config is not None:
                self._keep(config, allow_changes)
        except BaseException:
            self.close()
            raise

    def log_train(self, row: Mapping[str, object]) -> None:
        """Adds a row to `train.csv`, and its numbers to TensorBoard as `train/...`.

        Args:
            row: `step` (train steps done), and what there is: `epoch`, `loss`, `learning_rate`,
                `clips_per_second`, `data_wait` (a share of time), `seconds`, ... A new name
                becomes a new column.

        Raises:
            OSError: if it can't be written.
        """
        self._log(self._train, "train", row)

    def log_validation(self, row: Mapping[str, object]) -> None:
        """Adds a row to `validation.csv`, and its numbers to TensorBoard as `validation/...`.

        Args:
            row: `step`, and what there is: `epoch`, `loss`, `top1`, `top5`, ...

        Raises:
            OSError: if it can't be written.
        """
        self._log(self._validation, "validation", row)

    def rewind(self, step: int) -> None:
        """Drops what was logged of later steps than `step`: they will be done again."""
        if self.write:
            self._train.rewind(step)
            self._validation.rewind(step)
            self._tensorboard.rewind(step)

    def keep_config(self) -> None:
        """Writes a changed `config` to `config.json`: call it once the run is known to go on."""
        if self._changed is not None:
            text = json.dumps(self._changed, indent=2, ensure_ascii=False) + "\n"
            write_durably(self.path / CONFIG, text.encode())
            self._changed = None

    def close(self) -> None:
        """Closes the logs and gives the lock back. May be called more than once."""
        self._tensorboard.close()
        if self._lock is not None:
            (self.path / _OWNER).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _log(self, log: CsvLog, group: str, row: Mapping[str, object]) -> None:
        if not self.write:
            return
        log.append(row)
        scalars = {
            f"{group}/{name}": value
            for name, value in row.items()
            if name != "step" and value is not None and not isinstance(value, str)
        }
        self._tensorboard.write(int(row["step"]), scalars)

    def _keep(self, config: dict, allow_changes: bool) -> None:
        file = self.path / CONFIG
        if file.exists():
            changes = _changes(json.loads(file.read_text(encoding="utf-8")), config)
            if not changes:
                return
            if not allow_changes:
                raise ValueError(
                    f"{self.path} holds a run of another configuration: {'; '.join(changes)}. "
                    "Start with the configuration of that run to resume it, use another "
                    "directory, or pass allow_changes=True to go on with the new one."
                )
            self._changed = config
            return
        self._changed = config
        self.keep_config()


def _lock(path: Path):
    from filelock import FileLock, Timeout

    lock = FileLock(path / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RuntimeError(
            f"Another process uses this directory{_owner(path)}. Wait for it, stop it, or use "
            f"another directory. Received: {str(path)!r}"
        ) from None
    facts = {"host": socket.gethostname(), "process": os.getpid(), "since": time.ctime()}
    write_durably(path / _OWNER, json.dumps(facts).encode())
    return lock


def _owner(path: Path) -> str:
    try:
        facts = json.loads((path / _OWNER).read_text(encoding="utf-8"))
        return f" (process {facts['process']} on {facts['host']} since {facts['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _plain(config: Mapping) -> dict:
    """Returns a configuration as JSON keeps it."""
    config = config.to_dict() if hasattr(config, "to_dict") else dict(config)
    for name, value in _fields(config).items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise TypeError(
                "A configuration is plain data: numbers, text, None, lists and dicts. "
                f"Received: {name}={value!r:.200}"
            ) from error
    return json.loads(json.dumps(config))


def _changes(old: dict, new: dict) -> list[str]:
    old, new = _fields(old), _fields(new)
    changes = []
    for name in old | new:
        if name not in new:
            changes.append(f"{name}: {old[name]!r} -> not set")
        elif name not in old:
            changes.append(f"{name}: not set -> {new[name]!r}")
        elif old[name] != new[name]:
            changes.append(f"{name}: {old[name]!r} -> {new[name]!r}")
    return changes


def _fields(config: Mapping, prefix: str = "") -> dict[str, object]:
    """Returns nested fields by their dotted names."""
    fields = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            fields |= _fields(value, f"{prefix}{name}.")
        else:
            fields[f"{prefix}{name}"] = value
    return fields
