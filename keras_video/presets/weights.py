"""Weights of a model as a safetensors file keyed by variable path."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_video.presets.errors import PresetError, one_line, some

STORED_DTYPES = ("float32", "float16", "bfloat16")


def weights_by_path(model) -> dict:
    """Returns `{variable path: variable}` of a model, without optimizer or seed state.

    Raises:
        PresetError: if two variables share a path, so that a file couldn't tell them apart.
    """
    variables = {}
    for variable in model.weights:
        if variable.path in variables:
            raise PresetError(
                f"Two variables of {type(model).__name__} have the path {variable.path!r}: give "
                "their layers different names."
            )
        variables[variable.path] = variable
    return variables


def is_head(path: str, head_layers: Iterable[str]) -> bool:
    """Whether a variable path belongs to one of the layers that depend on `num_classes`."""
    return not set(path.split("/")[:-1]).isdisjoint(head_layers)


def save_weights(model, path: Path, dtype: str | None = None) -> None:
    """Writes a model's variables.

    Args:
        model: a built Keras model.
        path: the file to write.
        dtype: `"float16"` or `"bfloat16"` stores floating-point variables in half the space;
            `None` keeps their own type.

    Raises:
        PresetError: if the type is unknown or a value overflows in it.
        OSError: if the file can't be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    if dtype is not None and dtype not in STORED_DTYPES:
        raise PresetError(
            f"weights_dtype must be None or one of {', '.join(STORED_DTYPES)}. Received: {dtype!r}"
        )
    tensors = {}
    for name, variable in weights_by_path(model).items():
        array = to_numpy(variable)
        tensors[name] = np.ascontiguousarray(_as_stored(name, array, dtype)).reshape(array.shape)
    # safetensors makes its files for their owner only; this one gets the permissions of any other.
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(tensors, path, metadata={"format": "keras_video"})
    except SafetensorError as error:
        raise OSError(one_line(error)) from error
    path.chmod(mode)


def load_weights_file(model, path: Path, skip: Callable[[str], bool] = lambda path: False) -> None:
    """Fills a model's variables from a file, strictly.

    Args:
        model: a built Keras model.
        path: a file that `save_weights` wrote, in any floating-point type.
        skip: tells for a variable path whether its variable keeps its initial value.

    Raises:
        PresetError: if the file isn't a whole safetensors file, or its names or shapes aren't
            those of the model; the model is then left as it was.
    """
    from safetensors import SafetensorError, safe_open

    variables = {
        name: variable for name, variable in weights_by_path(model).items() if not skip(name)
    }
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            sized = {
                name: resized(model, name, read_tensor(file, path, name))
                for name in getattr(type(model), "resized_weights", ())
                if name in variables and name in shapes
            }
            shapes.update((name, array.shape) for name, array in sized.items())
            _check_names(model, path, variables, shapes, skip)
            arrays = {
                name: sized[name] if name in sized else read_tensor(file, path, name)
                for name in variables
            }
    except (SafetensorError, OSError) as error:
        raise PresetError(
            f"The weights can't be read: {one_line(error)}. Received: {str(path)!r}"
        ) from error
    check_finite(arrays, str(path))
    assign(variables, arrays)


def resized(model, path: str, array: np.ndarray) -> np.ndarray:
    """A weight of another size of input in the model's shape, if its class knows how."""
    resize = getattr(type(model), "resized_weights", {}).get(path)
    if resize is None:
        return array
    shape = tuple(weights_by_path(model)[path].shape)
    if array.shape == shape:
        return array
    fitting = resize(array, shape)
    return array if fitting is None else fitting


def check_finite(arrays: Mapping[str, np.ndarray], source: str) -> None:
    """Raises `PresetError` for weights that are no numbers: activations would hide them."""
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise PresetError(
            f"The weights hold NaN or infinity in {some(broken)}: the file is damaged, or its "
            f"training had diverged. Received: {source!r}"
        )


def to_numpy(variable) -> np.ndarray:
    """Returns a variable's value as an array of its own type, on any backend."""
    value = variable.value
    # Keras' own ways from PyTorch to NumPy 2 raise deprecation warnings.
    if not hasattr(value, "detach"):
        return np.asarray(variable)
    value = value.detach().cpu()
    if variable.dtype == "bfloat16":
        import ml_dtypes

        return value.float().numpy().astype(ml_dtypes.bfloat16)
    return value.numpy()


def assign(variables: Mapping, arrays: Mapping[str, np.ndarray]) -> None:
    """Assigns arrays to the variables of the same keys, on any backend."""
    for name, variable in variables.items():
        array = arrays[name]
        # Not every backend takes half-precision NumPy arrays for a float32 variable.
        if array.dtype.name in ("float16", "bfloat16"):
            array = array.astype("float32")
        variable.assign(array)


def read_tensor(file, path: Path, name: str) -> np.ndarray:
    """Reads one tensor of an open safetensors file, bfloat16 as float32.

    Raises:
        safetensors.SafetensorError: if the tensor is of a type that NumPy lacks.
    """
    from safetensors import SafetensorError

    dtype = file.get_slice(name).get_dtype()
    if dtype == "BF16":
        return _read_bfloat16(path, name)
    try:
        return file.get_tensor(name)
    except AttributeError as error:
        # What safetensors says where NumPy has no such type, such as numbers of 8 bits.
        raise SafetensorError(f"tensor {name!r} has the type {dtype}, which isn't read") from error


def _check_names(model, path: Path, variables: Mapping, shapes: Mapping, skip: Callable) -> None:
    missing = [name for name in variables if name not in shapes]
    unexpected = [name for name in shapes if name not in variables and not skip(name)]
    wrong = [
        f"{name!r} is {tuple(variable.shape)} in the model and {shapes[name]} in the file"
        for name, variable in variables.items()
        if name in shapes and tuple(variable.shape) != shapes[name]
    ]
    problems = []
    if missing:
        problems.append(f"missing {some(missing)}")
    if unexpected:
        problems.append(f"unexpected {some(unexpected)}")
    if wrong:
        problems.append(f"other shapes: {'; '.join(wrong[:3])} ({len(wrong)} in all)")
    if problems:
        raise PresetError(
            f"The weights don't fit this {type(model).__name__}: {', '.join(problems)}. Build it "
            f"with the arguments that it was saved with. Received: {str(path)!r}"
        )


def _as_stored(name: str, array: np.ndarray, dtype: str | None) -> np.ndarray:
    if dtype is None or array.dtype.kind not in "fV":
        return array
    if dtype == "bfloat16":
        import ml_dtypes

        return array.astype(ml_dtypes.bfloat16)
    with np.errstate(over="ignore"):
        stored = array.astype(dtype)
    if dtype == "float16" and not np.array_equal(np.isinf(stored), np.isinf(array)):
        raise PresetError(
            f"{name!r} doesn't fit float16 (its largest magnitude is {np.abs(array).max():g}); "
            "store it in bfloat16 or float32. Received: weights_dtype='float16'"
        )
    return stored


def _read_bfloat16(path: Path, name: str) -> np.ndarray:
    """Reads a bfloat16 tensor without needing a NumPy type for it."""
    import json

    with open(path, "rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(header_size))[name]
        start, end = entry["data_offsets"]
        file.seek(8 + header_size + start, os.SEEK_SET)
        words = np.frombuffer(file.read(end - start), dtype="<u2")
    return (words.astype("<u4") << 16).view("<f4").reshape(entry["shape"])
