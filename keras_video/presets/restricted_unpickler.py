"""An unpickler that builds arrays and nothing else.

A pickle is a program. This one may call a handful of stand-ins defined here: they collect what
the file says about an array, check it, and build the array from its bytes. No global of NumPy,
of Python or of any package is ever looked up, so nothing that a hostile file names can run.
"""

import math
import pickle
from typing import BinaryIO

import numpy as np

_KINDS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}


class UnsafePickleError(pickle.UnpicklingError):
    """The file asks for something else than arrays in plain containers."""


class _DType:
    """Stands in for `numpy.dtype`: a plain number type."""

    def __init__(self, code, align=False, copy=True):
        if isinstance(code, bytes):
            code = code.decode("latin1")
        kind, size = str(code)[:1], str(code)[1:]
        if kind not in _KINDS or not size.isdigit() or int(size) not in _KINDS[kind]:
            raise UnsafePickleError(f"an array of type {code!r}; only plain numbers are read")
        self.code = f"{kind}{size}"
        self.order = "<"

    def __setstate__(self, state):
        order = state[1]
        if isinstance(order, bytes):
            order = order.decode("latin1")
        if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise UnsafePickleError("a structured or unknown array type")
        self.order = "<" if order in "|=" else order

    @property
    def numpy(self) -> np.dtype:
        return np.dtype(self.order + self.code)


class _Array:
    """Stands in for `numpy.ndarray`, from `_reconstruct` until its state arrives."""

    value: np.ndarray | None = None

    def __setstate__(self, state):
        _, shape, dtype, fortran_order, data = state
        self.value = _build(data, dtype, shape, "F" if fortran_order else "C")


class _ArrayType:
    """Stands in for the class `numpy.ndarray`, an argument of `_reconstruct`."""

    def __call__(self, *arguments):
        raise UnsafePickleError("an array that is built by calling numpy.ndarray")


def _reconstruct(array_type, shape, code):
    if not isinstance(array_type, _ArrayType):
        raise UnsafePickleError("an array of another class than numpy.ndarray")
    return _Array()


def _scalar(dtype, data):
    return _build(data, dtype, (), "C")


def _frombuffer(buffer, dtype, shape, order):
    return _build(bytes(buffer), dtype, shape, order)


def _build(data, dtype, shape, order) -> np.ndarray:
    # Python 2 wrote bytes as text.
    data = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(dtype, _DType) or not isinstance(data, bytes | bytearray):
        raise UnsafePickleError("an array that isn't made of plain numbers")
    if not isinstance(shape, tuple) or any(type(size) is not int or size < 0 for size in shape):
        raise UnsafePickleError(f"an array of shape {shape!r}")
    if len(data) != math.prod(shape) * dtype.numpy.itemsize or order not in ("C", "F"):
        raise pickle.UnpicklingError(
            f"an array of shape {shape} and type {dtype.code} holds {len(data)} bytes"
        )
    array = np.frombuffer(bytes(data), dtype=dtype.numpy).reshape(shape, order=order)
    return array.astype(array.dtype.newbyteorder("="), order="C")


def _encode(text, encoding="utf-8"):
    if not isinstance(text, str) or encoding != "latin1":
        raise UnsafePickleError("text in an unexpected encoding")
    return text.encode("latin1")


def _no_bytes():
    return b""


def _tuple(items=()):
    return tuple(items)


def _ordered_dict(items=()):
    return dict(items)


_STAND_INS = {
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): _ArrayType,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered_dict,
    # Protocol 2 writes empty bytes as a call without arguments.
    ("__builtin__", "bytes"): _no_bytes,
    # Paddle 2.1 and later reduce a parameter to tuple((name, array)).
    ("builtins", "tuple"): _tuple,
    ("__builtin__", "tuple"): _tuple,
}
# NumPy 1 and 2 keep these functions in differently named modules.
for _core in ("numpy.core", "numpy._core"):
    _STAND_INS[(f"{_core}.multiarray", "_reconstruct")] = _reconstruct
    _STAND_INS[(f"{_core}.multiarray", "scalar")] = _scalar
    _STAND_INS[(f"{_core}.numeric", "_frombuffer")] = _frombuffer


class RestrictedUnpickler(pickle.Unpickler):
    """Reads pickles of NumPy arrays in dicts, lists and tuples (protocols 0 to 5).

    Args:
        file: an open binary file.

    Raises:
        UnsafePickleError: on `load`, if the file names anything but arrays of plain numbers.
        pickle.UnpicklingError: on `load`, if the file is damaged.
    """

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="latin1")

    def find_class(self, module: str, name: str):
        if (module, name) not in _STAND_INS:
            raise UnsafePickleError(
                f"it asks for {module}.{name}; only NumPy arrays are read, nothing was run"
            )
        stand_in = _STAND_INS[(module, name)]
        if stand_in is _ArrayType:
            return _ArrayType()
        # A fresh wrapper: a file can set attributes on what it is given, on nothing of ours.
        return lambda *arguments: stand_in(*arguments)

    def persistent_load(self, pid):
        raise UnsafePickleError("it refers to objects outside of the file")

    def load(self):
        return _unwrap(super().load())


def _unwrap(value):
    """Replaces the stand-ins by the arrays that they have built."""
    if isinstance(value, _Array):
        if value.value is None:
            raise UnsafePickleError("an array without data")
        return value.value
    if isinstance(value, dict):
        return {key: _unwrap(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_unwrap(item) for item in value)
    if isinstance(value, np.ndarray | str | bytes | int | float | bool | None):
        return value
    raise UnsafePickleError("something else than arrays")
