"""An unpickler that finds the tensors of a torch file and builds nothing else.

A training checkpoint holds much besides its weights: an optimizer, a config, a history, of classes
that may not exist here. Whatever a file names, except for the parts of a tensor, becomes an inert
`Placeholder`: calling it, filling it or setting its state does nothing. No name is ever looked up,
so nothing that a hostile file asks for can run. Neither torch nor NumPy objects are built here;
tensors stay descriptions until somebody asks for their values.
"""

import math
import pickle
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import numpy as np

from keras_video.presets.restricted_unpickler import UnsafePickleError

# torch's storage class -> bytes as NumPy reads them. bfloat16 has no NumPy type.
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class Storage(NamedTuple):
    """A run of numbers that the file keeps outside of its pickle.

    Attributes:
        key: its name in the file.
        dtype: what `numpy.dtype` takes, or `"bfloat16"`.
        numel: how many numbers.
        start: the first of them, where an old file cuts one storage into several.
    """

    key: str
    dtype: str
    numel: int
    start: int = 0

    @property
    def itemsize(self) -> int:
        return 2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize


class Tensor(NamedTuple):
    """A tensor by description: a window on a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, numbers: np.ndarray) -> np.ndarray:
        """The tensor's values, out of all numbers of its storage; bfloat16 comes as float32."""
        window = np.lib.stride_tricks.as_strided(
            numbers[self.storage.start + self.offset :],
            self.shape,
            [stride * numbers.itemsize for stride in self.strides],
            writeable=False,
        )
        if self.storage.dtype == "bfloat16":
            return (window.astype("<u4") << 16).view("<f4")
        return np.array(window, dtype=window.dtype.newbyteorder("="), order="C")


class Placeholder:
    """Stands for anything that isn't a tensor, and does nothing."""

    source = "an unknown object"

    def __new__(cls, *arguments, **options):
        return super().__new__(cls)

    def __init__(self, *arguments, **options):
        pass

    def __call__(self, *arguments, **options):
        return self

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass


class _Dict(dict):
    """A dict whose attributes, such as a state dict's `_metadata`, are dropped."""

    def __setstate__(self, state):
        pass


class _StorageType(NamedTuple):
    dtype: str


def _tensor(storage, offset, shape, strides, *_):
    if isinstance(storage, Placeholder):
        return storage
    whole = [offset, *shape, *strides] if isinstance(shape, tuple) else [None]
    if (
        not isinstance(storage, Storage)
        or not isinstance(strides, tuple)
        or len(shape) != len(strides)
        or any(type(number) is not int or number < 0 for number in whole)
    ):
        raise UnsafePickleError("a tensor that isn't made of plain numbers")
    count = math.prod(shape)
    steps = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count and (count > storage.numel or offset + steps >= storage.numel):
        raise pickle.UnpicklingError(
            f"a tensor of shape {shape} reaches beyond its storage of {storage.numel} numbers"
        )
    return Tensor(storage, offset if count else 0, shape, strides if count else (0,) * len(shape))


def _parameter(data, *_):
    return data


def _shape(sizes=()):
    return tuple(sizes)


_STAND_INS: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch", "Size"): _shape,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
}


class TorchUnpickler(pickle.Unpickler):
    """Reads the pickle of a torch file: containers, plain values, `Tensor`s and `Placeholder`s.

    Args:
        file: an open binary file.
        storages: gets every storage that the file refers to, by key.

    Raises:
        UnsafePickleError: on `load`, if a tensor is made of anything but plain numbers.
        pickle.UnpicklingError: on `load`, if the file is damaged.
    """

    def __init__(self, file: BinaryIO, storages: dict[str, Storage]):
        super().__init__(file, encoding="latin1")
        self._storages = storages

    def find_class(self, module: str, name: str):
        if (module, name) in _STAND_INS:
            stand_in = _STAND_INS[(module, name)]
            # A fresh wrapper: a file can set attributes on what it is given, on nothing of ours.
            return lambda *arguments: stand_in(*arguments)
        if name in _STORAGES and module in ("torch", "torch.cuda", "torch.storage"):
            return _StorageType(_STORAGES[name])
        return type("Placeholder", (Placeholder,), {"source": f"{module}.{name}"})

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or not pid or pid[0] != "storage":
            # Old files keep the source of the classes that they name.
            return Placeholder() if not isinstance(pid, tuple) or len(pid) < 2 else pid[1]
        _, kind, key, _, numel, *view = pid
        if not isinstance(kind, _StorageType):
            # Numbers of a type that is not read, such as complex ones.
            return Placeholder()
        if not isinstance(key, str) or type(numel) is not int or numel < 0:
            raise UnsafePickleError("a storage that isn't made of plain numbers")
        known = self._storages.setdefault(key, Storage(key, kind.dtype, numel))
        if known.dtype != kind.dtype or known.numel != numel:
            raise UnsafePickleError(f"two storages with the key {key!r}")
        if not view or view[0] is None:
            return known
        _, start, size = view[0]
        if any(type(number) is not int or number < 0 for number in (start, size)) or (
            start + size > numel
        ):
            raise UnsafePickleError("a part of a storage that reaches beyond it")
        return known._replace(start=start, numel=size)
