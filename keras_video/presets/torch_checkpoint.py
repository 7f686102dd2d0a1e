"""Reads torch's files without torch.

torch's own reader would do, but torch is a large thing to install for reading a file, and its
`weights_only=True` refuses the checkpoints of MMEngine and Lightning for the histories and configs
that they hold next to the weights. Here everything but the weights is left out unread.

Two containers are known: the zip that torch has written since 1.6, and what it wrote before,
pickles followed by the numbers.
"""

import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_video.presets.errors import PresetError, one_line, some
from keras_video.presets.restricted_unpickler import UnsafePickleError
from keras_video.presets.torch_unpickler import Placeholder, Storage, Tensor, TorchUnpickler

# Where training programs put the state dict in what they save, the first that is there.
STATE_KEYS = ("model_state", "state_dict", "model", "model_state_dict")
# What `DataParallel` and `DistributedDataParallel` put before every name.
PARALLEL_PREFIX = "module."

ZIP_START = b"PK\x03\x04"
# The pickled number 0x1950a86a20f9469cfc6c.
LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY_PROTOCOL = 1001


def read_torch_zip(path: Path) -> dict[str, np.ndarray]:
    """Reads the state dict of a torch file of 1.6 or later.

    Raises:
        PresetError: if the file is damaged or holds no state dict of plain tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {info.filename: info for info in archive.infolist()}
            root = next(
                (name.removesuffix("data.pkl") for name in entries if name.endswith("/data.pkl")),
                None,
            )
            if root is None:
                raise PresetError("The zip file isn't torch's: it has no data.pkl.")
            if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
                raise PresetError("The zip file isn't torch's: it is compressed.")
            order = root + "byteorder"
            if order in entries and archive.read(order).strip() != b"little":
                raise PresetError(
                    "The torch file was written on a big-endian machine; save it again on another."
                )

            def numbers(storage: Storage) -> bytes:
                name = f"{root}data/{storage.key}"
                if name not in entries:
                    raise pickle.UnpicklingError(f"the numbers of {name!r} are missing")
                return archive.read(name)

            storages: dict[str, Storage] = {}
            with archive.open(root + "data.pkl") as file:
                content = TorchUnpickler(file, storages).load()
            return _arrays(content, numbers)
    except (PresetError, OSError):
        raise
    # A damaged file raises nearly anything: BadZipFile, EOFError, KeyError, UnicodeError, ...
    except Exception as error:
        raise _explained(error) from error


def read_legacy_torch(path: Path) -> dict[str, np.ndarray]:
    """Reads the state dict of a torch file from before 1.6.

    Raises:
        PresetError: if the file is damaged or holds no state dict of plain tensors.
    """
    try:
        with open(path, "rb") as file:
            storages: dict[str, Storage] = {}

            def part():
                return TorchUnpickler(file, storages).load()

            part()  # the number that the file was told by
            protocol, machine = part(), part()
            if protocol != _LEGACY_PROTOCOL:
                raise PresetError(f"The torch file is of protocol {protocol!r}, which isn't read.")
            if not machine.get("little_endian", True):
                raise PresetError(
                    "The torch file was written on a big-endian machine; save it again on another."
                )
            content = part()
            places = _places(file, storages, keys=part())

            def numbers(storage: Storage) -> bytes:
                file.seek(places[storage.key])
                return file.read(storages[storage.key].numel * storage.itemsize)

            return _arrays(content, numbers)
    except (PresetError, OSError):
        raise
    except Exception as error:
        raise _explained(error) from error


def _places(file: BinaryIO, storages: Mapping[str, Storage], keys: list) -> dict[str, int]:
    """Where each storage begins: they follow each other, each after its length."""
    places = {}
    for key in keys:
        if key not in storages:
            raise PresetError("The torch file holds numbers of a type that isn't read.")
        length = file.read(8)
        if length != storages[key].numel.to_bytes(8, "little"):
            raise pickle.UnpicklingError(f"storage {key!r} is not as long as announced")
        places[key] = file.tell()
        file.seek(storages[key].numel * storages[key].itemsize, 1)
    return places


def _arrays(content, numbers: Callable[[Storage], bytes]) -> dict[str, np.ndarray]:
    """The arrays of a file's state dict; storages that several tensors share are read once."""
    state = _state(content)
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    others = [str(name) for name in state if name not in tensors or not isinstance(name, str)]
    if others:
        raise PresetError(f"Not a checkpoint of tensors: {some(others)} hold something else.")
    if tensors and all(name.startswith(PARALLEL_PREFIX) for name in tensors):
        tensors = {name.removeprefix(PARALLEL_PREFIX): t for name, t in tensors.items()}
    users = [tensor.storage.key for tensor in tensors.values()]
    last = {key: index for index, key in enumerate(users)}
    loaded, arrays = {}, {}
    for index, (name, tensor) in enumerate(tensors.items()):
        key = tensor.storage.key
        if key not in loaded:
            loaded[key] = _decoded(tensor.storage, numbers(tensor.storage))
        arrays[name] = tensor.array(loaded[key])
        if last[key] == index:
            del loaded[key]
    return arrays


def _decoded(storage: Storage, data: bytes) -> np.ndarray:
    if len(data) < (storage.start + storage.numel) * storage.itemsize:
        raise pickle.UnpicklingError(
            f"storage {storage.key!r} of {storage.numel} numbers has {len(data)} bytes"
        )
    dtype = "<u2" if storage.dtype == "bfloat16" else storage.dtype
    return np.frombuffer(data[: len(data) // storage.itemsize * storage.itemsize], dtype)


def _state(content) -> dict:
    """The state dict in what a file holds: under one of `STATE_KEYS`, or the whole of it."""
    if isinstance(content, Placeholder):
        raise PresetError(
            f"The file holds a whole object, {content.source}, not its weights: save "
            "model.state_dict()."
        )
    if isinstance(content, dict):
        for key in STATE_KEYS:
            if isinstance(content.get(key), dict):
                return content[key]
            if isinstance(content.get(key), Placeholder):
                raise PresetError(
                    f"The file holds a whole object, {content[key].source}, under {key!r}, not "
                    "its weights: save model.state_dict()."
                )
    if not isinstance(content, dict) or not any(isinstance(v, Tensor) for v in content.values()):
        raise PresetError(
            f"The torch file holds no state dict, neither under {', '.join(STATE_KEYS)} nor as a "
            "whole."
        )
    return content


def _explained(error: Exception) -> PresetError:
    if isinstance(error, UnsafePickleError):
        return PresetError(f"The checkpoint is refused: {one_line(error)}.")
    return PresetError(
        f"The torch file is damaged or cut off: {type(error).__name__}: {one_line(error)}."
    )
