"""`Runtime`: what all runtimes have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from keras_video.inference.exported_model import TensorSpec


class Runtime(ABC):
    """Runs a model: named arrays in, named arrays out. May be used by several threads.

    Attributes:
        name: such as `"onnxruntime"`.
        inputs: what it takes, by name.
        outputs: what it returns, by name.
    """

    name: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch.

        Raises:
            ValueError: arrays are missing, unknown, or of another shape or type.
        """
        if set(inputs) != set(self.inputs):
            raise ValueError(
                f"The model takes {sorted(self.inputs)}. Received: inputs={sorted(inputs)}"
            )
        arrays = {}
        for name, spec in self.inputs.items():
            array = np.asarray(inputs[name])
            fits = len(array.shape) == len(spec.shape) and all(
                want in (None, have) for want, have in zip(spec.shape, array.shape, strict=True)
            )
            if not fits or 0 in array.shape:
                expected = ", ".join("any" if size is None else str(size) for size in spec.shape)
                raise ValueError(
                    f"`{name}` must have the shape ({expected}). Received: shape={array.shape}"
                )
            arrays[name] = _as_type(array, spec.dtype, name)
        return self._run(arrays)

    @abstractmethod
    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`run`, with arrays that fit."""


def _as_type(array: np.ndarray, dtype: str, name: str) -> np.ndarray:
    if array.dtype == dtype:
        return np.asarray(array, order="C")
    if dtype == "uint8" and array.dtype.kind == "f":
        # Frames that were resized in floating point; models take whole grey levels.
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 255):
            raise ValueError(
                f"`{name}` must be from 0 to 255. Received: values from {low:.4g} to {high:.4g}"
            )
        return np.rint(array).astype("uint8")
    if np.dtype(dtype).kind == "f" and array.dtype.kind in "fu":
        return array.astype(dtype)
    raise ValueError(f"`{name}` must be of type {dtype}. Received: dtype={array.dtype}")


def needs(package: str, extra: str) -> ImportError:
    """The error for a runtime that is not installed."""
    return ImportError(
        f'This needs {package}: python -m pip install "keras-video[{extra}]". '
        f"Received: no module of {package}"
    )


def limit_tensorflow(threads: int | None) -> None:
    """Sets how many threads TensorFlow may use; `None` leaves that alone.

    Raises:
        ValueError: it has computed already with another number.
    """
    if threads is None:
        return
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise ValueError(
            "TensorFlow takes the number of threads only before it computes anything, and for the "
            f"whole process: give it first. Received: threads={threads}"
        ) from error
