"""How other frameworks lay out a weight, and how Keras wants it."""

from collections.abc import Callable

import numpy as np

LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    # Vectors (biases, batch-norm statistics) and anything that is the same everywhere.
    "same": lambda array: array,
    # (out, in, height, width) to (height, width, in, out).
    "conv2d": lambda array: array.transpose(2, 3, 1, 0),
    # (out, in, time, height, width) to (time, height, width, in, out).
    "conv3d": lambda array: array.transpose(2, 3, 4, 1, 0),
    # Paddle's linear layers are (in, out), as Keras' are.
    "dense": lambda array: array,
    # PyTorch's linear layers are (out, in).
    "dense_torch": lambda array: array.transpose(1, 0),
}

RANKS = {"conv2d": 4, "conv3d": 5, "dense": 2, "dense_torch": 2}
