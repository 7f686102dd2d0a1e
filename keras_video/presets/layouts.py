"""How other frameworks lay out a weight, and how Keras wants it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """An order of axes, both ways.

    Attributes:
        axes: the foreign axes in Keras' order; `None` for any array, as it is.
        sums: whether several tensors of one variable are added, instead of put side by side.
        orders: pairs of an axis in Keras' order, and a function that takes its size and returns
            where, along it, each of our entries lies in the foreign tensor.
    """

    axes: tuple[int, ...] | None = None
    sums: bool = False
    orders: tuple[tuple[int, Callable[[int], np.ndarray]], ...] = ()

    def fits(self, array: np.ndarray) -> bool:
        """Whether the array has as many axes as this layout."""
        return self.axes is None or array.ndim == len(self.axes)

    def to_keras(self, arrays: list[np.ndarray]) -> np.ndarray:
        """The tensors of one variable as Keras wants them, several side by side or added."""
        turned = [a if self.axes is None else a.transpose(self.axes) for a in arrays]
        for axis, order in self.orders:
            turned = [array.take(order(array.shape[axis]), axis) for array in turned]
        if len(turned) == 1:
            return turned[0]
        return np.sum(turned, axis=0) if self.sums else np.concatenate(turned, axis=-1)

    def from_keras(self, array: np.ndarray, count: int = 1) -> list[np.ndarray]:
        """The inverse; of a sum, the first tensor has everything and the others are zero."""
        if self.sums:
            parts = [array, *(np.zeros_like(array) for _ in range(count - 1))]
        else:
            parts = np.split(array, count, axis=-1) if count > 1 else [array]
        for axis, order in self.orders:
            parts = [part.take(np.argsort(order(part.shape[axis])), axis) for part in parts]
        if self.axes is not None:
            parts = [part.transpose(np.argsort(self.axes)) for part in parts]
        return [np.ascontiguousarray(part).reshape(part.shape) for part in parts]


LAYOUTS: dict[str, Layout] = {
    # Vectors (biases, batch-norm statistics) and anything that is the same everywhere.
    "same": Layout(),
    # (out, in, length) to (length, in, out), and so on.
    "conv1d": Layout((2, 1, 0)),
    "conv2d": Layout((2, 3, 1, 0)),
    "conv3d": Layout((2, 3, 4, 1, 0)),
    # Paddle's linear layers are (in, out), as Keras' are.
    "dense": Layout((0, 1)),
    # PyTorch's linear layers are (out, in), and so are the LSTMs of both, gates in Keras' order.
    "dense_torch": Layout((1, 0)),
    # The two biases of those LSTMs are one in Keras.
    "sum": Layout(sums=True),
}


def layout_of(layout: str | Layout) -> Layout:
    """Returns what an entry of a checkpoint map names, or holds itself."""
    return layout if isinstance(layout, Layout) else LAYOUTS[layout]
