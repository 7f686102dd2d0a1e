"""Reads checkpoints of other frameworks into arrays, trusting nothing in them."""

import gzip
import os
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_video.presets.errors import PresetError, one_line, some
from keras_video.presets.torch_checkpoint import (
    LEGACY_START,
    ZIP_START,
    read_legacy_torch,
    read_torch_zip,
)

# Paddle's own entries of a state dict, next to the parameters.
_PADDLE_NAMES = "StructuredToParameterName@@"
_PADDLE_SPLIT = "UnpackBigParamInfor@@"
# Where Caffe2 keeps the arrays of a network, and of the optimizer that trained it.
_CAFFE2_BLOBS = "blobs"


def read_checkpoint(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the tensors of a checkpoint file.

    Containers are told apart by their first bytes, not by their names:

    - `.safetensors`;
    - torch's files (`.pth`, `.pyth`, `.pt`, `.pth.tar`, `.ckpt`), new and old. The weights are the
      dict under `model_state`, `state_dict`, `model` or `model_state_dict`, or the whole file;
      what else a training run has saved is left out unread, and so is the prefix `module.` that
      data parallelism puts before every name. torch isn't needed;
    - Paddle's `.pdparams`, a pickled dict of arrays;
    - Caffe2's `.pkl`, a pickled dict with `blobs`;
    - an archive, `.tar` or `.tar.gz`, with one `.pdparams` in it, read without unpacking it.

    Pickles are read by unpicklers that can build arrays and nothing else, so a hostile file can't
    run code.

    Args:
        path: the file.

    Returns:
        `{tensor name: array}` in the file's own names and layouts; bfloat16 as float32.

    Raises:
        PresetError: if the file is absent, damaged, no checkpoint, or asks for anything but
            arrays.

    Example:

    >>> tensors = keras_video.presets.read_checkpoint("ppTSM_k400_uniform.pdparams")
    >>> tensors["head.fc.weight"].shape
    (2048, 400)
    """
    path = Path(os.path.expanduser(path))
    try:
        return read_tensors(path)
    except PresetError as error:
        raise PresetError(f"{error} Received: {str(path)!r}") from error


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Like `read_checkpoint`, with errors that don't name the file."""
    try:
        with open(path, "rb") as file:
            start = file.read(512)
        if _looks_like_safetensors(start, path.stat().st_size):
            return _read_safetensors(path)
        if start.startswith(ZIP_START):
            return read_torch_zip(path)
        if start.startswith(LEGACY_START):
            return read_legacy_torch(path)
        if _looks_like_pickle(start):
            with open(path, "rb") as file:
                return _read_pickle(file)
        if _looks_like_archive(start):
            return _read_archive(path)
    except OSError as error:
        raise PresetError(f"The checkpoint can't be opened: {error.strerror or error}.") from error
    raise PresetError(
        "Not a checkpoint: neither a .safetensors file nor one of torch, Paddle or Caffe2, nor an "
        f"archive with one; it begins with {start[:24]!r}."
    )


def _looks_like_safetensors(start: bytes, size: int) -> bool:
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def _looks_like_pickle(start: bytes) -> bool:
    binary_protocol = start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return binary_protocol or start[:2] in (b"(d", b"}q")


def _looks_like_archive(start: bytes) -> bool:
    return start[:2] == b"\x1f\x8b" or start[257:262] == b"ustar"


def _read_archive(path: Path) -> dict[str, np.ndarray]:
    try:
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.name.endswith(".pdparams")]
            if len(members) != 1 or not members[0].isfile():
                raise PresetError(
                    "The archive must hold one .pdparams file; it holds "
                    f"{some(member.name for member in members) or 'none'}."
                )
            return _read_pickle(archive.extractfile(members[0]))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PresetError(f"The archive is damaged or cut off: {one_line(error)}.") from error


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, safe_open

    from keras_video.presets.weights import read_tensor

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: read_tensor(file, path, name) for name in file.keys()}
    except SafetensorError as error:
        raise PresetError(f"The safetensors file is damaged: {one_line(error)}.") from error


def _read_pickle(file: BinaryIO) -> dict[str, np.ndarray]:
    from keras_video.presets.restricted_unpickler import RestrictedUnpickler, UnsafePickleError

    try:
        content = RestrictedUnpickler(file).load()
    except UnsafePickleError as error:
        raise PresetError(f"The checkpoint is refused: {one_line(error)}.") from error
    except OSError:
        raise
    # A damaged pickle raises nearly anything: EOFError, KeyError, IndexError, UnicodeError, ...
    except Exception as error:
        raise PresetError(
            f"The checkpoint is damaged or cut off: {type(error).__name__}: {one_line(error)}."
        ) from error
    return _tensors(content)


def _tensors(content) -> dict[str, np.ndarray]:
    if not isinstance(content, dict):
        raise PresetError(
            f"Not a checkpoint: the file holds a {type(content).__name__}, not a dict of arrays."
        )
    if isinstance(content.get(_CAFFE2_BLOBS), dict):
        # Counters and rates lie among the arrays as plain numbers.
        content = {
            name: np.asarray(value) if isinstance(value, int | float) else value
            for name, value in content[_CAFFE2_BLOBS].items()
        }
    if content.get(_PADDLE_SPLIT):
        raise PresetError(
            "Arrays above 1 GiB that Paddle has split (pickle protocols 2 and 3) aren't read; "
            "save the checkpoint again with protocol=4."
        )
    tensors, others = {}, []
    for name, value in content.items():
        if name in (_PADDLE_NAMES, _PADDLE_SPLIT):
            continue
        # Paddle 2.1 and later store (parameter name, array).
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
            value = value[1]
        if isinstance(name, str) and isinstance(value, np.ndarray):
            tensors[name] = value
        else:
            others.append(str(name))
    if others or not tensors:
        found = f"{some(others)} hold something else" if others else "it holds no array"
        raise PresetError(f"Not a checkpoint of arrays: {found}.")
    return tensors
