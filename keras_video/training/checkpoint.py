"""One checkpoint: a folder with arrays, plain state, and the check sums that prove it whole."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_video.presets.errors import one_line
from keras_video.presets.weights import read_tensor
from keras_video.training.durable_files import sync

ARRAYS = "arrays.safetensors"
FACTS = "checkpoint.json"
_FORMAT = 1


class CheckpointError(RuntimeError):
    """A checkpoint can't be written or read; the message says which, why and what is left."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint isn't what was written: a file is missing, shorter, or has other content."""


class Checkpoint:
    """A whole checkpoint; `CheckpointStore` makes it.

    Attributes:
        path: its folder.
        step: the number of train steps done, 0 or more.
        best: whether it was saved with `best=True`.
        state: the plain state that was saved: as JSON keeps it, with lists for tuples and text
            for the keys of dicts.

    Example:

    >>> checkpoint = CheckpointStore("runs/a/checkpoints").latest()
    >>> checkpoint.step, checkpoint.arrays()["conv1/kernel"].shape
    """

    def __init__(self, path: Path, facts: Mapping):
        self.path = path
        self.step = facts["step"]
        self.best = facts["best"]
        self.state = facts["state"]

    def arrays(self) -> dict[str, np.ndarray]:
        """Reads the arrays: `{name: array}`, with the types and shapes that were saved."""
        from safetensors import SafetensorError, safe_open

        file_path = self.path / ARRAYS
        try:
            with safe_open(file_path, framework="numpy") as file:
                return {name: _read(file, file_path, name) for name in file.keys()}
        except (OSError, SafetensorError) as error:
            raise DamagedCheckpointError(f"{file_path}: {one_line(error)}") from error

    def __repr__(self) -> str:
        return f"Checkpoint(step={self.step}, best={self.best}, path={str(self.path)!r})"


def write_checkpoint(
    folder: Path, step: int, arrays: Mapping[str, np.ndarray], state: Mapping, best: bool
) -> None:
    """Fills an empty folder with a checkpoint; all of it is on the disk on return.

    Raises:
        TypeError: if `state` holds something else than plain data.
        OSError: if it can't be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    facts = {"format": _FORMAT, "step": int(step), "best": bool(best), "state": state}
    facts = json.loads(json.dumps(facts, default=_plain))
    file_path = folder / ARRAYS
    # safetensors makes its files for their owner only; this one gets the permissions of any other.
    file_path.touch()
    mode = file_path.stat().st_mode
    try:
        save_file({name: _dense(array) for name, array in arrays.items()}, file_path)
    except SafetensorError as error:
        raise OSError(one_line(error)) from error
    file_path.chmod(mode)
    sync(file_path)
    facts["arrays"] = {"size": file_path.stat().st_size, "crc32": _crc32_of_file(file_path)}
    facts["crc32"] = _crc32(facts)
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    sync(folder / FACTS)
    sync(folder)


def read_facts(folder: Path) -> dict:
    """Reads what a checkpoint says about itself, without its arrays.

    Raises:
        DamagedCheckpointError: if that file isn't as it was written.
        CheckpointError: if it is of a later format.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        intact = facts.pop("crc32") == _crc32(facts)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DamagedCheckpointError(f"{FACTS} can't be read: {one_line(error)}") from error
    if not intact:
        raise DamagedCheckpointError(f"{FACTS} has other content than was written")
    if facts["format"] > _FORMAT:
        raise CheckpointError(
            f"{folder}: a later version of keras_video wrote this checkpoint; update keras_video. "
            f"Received: format {facts['format']}, this version reads up to {_FORMAT}"
        )
    return facts


def read_checkpoint(folder: Path) -> Checkpoint:
    """Returns a checkpoint after comparing size and check sum of its arrays.

    Raises:
        DamagedCheckpointError: if it isn't as it was written.
        CheckpointError: if it is of a later format.
    """
    facts = read_facts(folder)
    written = facts["arrays"]
    try:
        size = (folder / ARRAYS).stat().st_size
        if size != written["size"]:
            raise DamagedCheckpointError(f"{ARRAYS} has {size} bytes instead of {written['size']}")
        if _crc32_of_file(folder / ARRAYS) != written["crc32"]:
            raise DamagedCheckpointError(f"{ARRAYS} has other content than was written")
    except OSError as error:
        raise DamagedCheckpointError(f"{ARRAYS} can't be read: {one_line(error)}") from error
    return Checkpoint(folder, facts)


def _dense(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    return np.ascontiguousarray(array).reshape(array.shape)


def _read(file, path: Path, name: str) -> np.ndarray:
    array = read_tensor(file, path, name)
    if file.get_slice(name).get_dtype() != "BF16":
        return array
    import ml_dtypes

    return array.astype(ml_dtypes.bfloat16)


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        "The state of a checkpoint is plain data (numbers, text, lists, dicts); put arrays among "
        f"its arrays. Received: {type(value).__name__} {value!r:.100}"
    )


def _crc32(facts: Mapping) -> int:
    return zlib.crc32(json.dumps(facts, sort_keys=True).encode())


def _crc32_of_file(path: Path) -> int:
    crc = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc
