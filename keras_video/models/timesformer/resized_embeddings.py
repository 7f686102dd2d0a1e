"""Position and time embeddings of another size of clips, as an image and as a line."""

import math

import numpy as np


def resize_positions(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Interpolates the embedding of positions, bicubic in two dimensions.

    Args:
        array: `(1, 1 + rows * columns, channels)`, a square grid after the class token's.
        shape: the same of another square grid.

    Returns:
        The embedding in that shape, or `None` where it is none of another grid.

    Example:

    >>> resize_positions(np.zeros((1, 1 + 14 * 14, 768), "float32"), (1, 1 + 28 * 28, 768)).shape
    (1, 785, 768)
    """
    if not _differs_in_length_only(array, shape):
        return None
    old, new = math.isqrt(array.shape[1] - 1), math.isqrt(shape[1] - 1)
    if old**2 != array.shape[1] - 1 or new**2 != shape[1] - 1:
        return None
    grid = array[:, 1:].astype("float64").reshape(old, old, -1)
    weights = interpolation_matrix(old, new, _cubic, 2)
    grid = np.einsum("ri,sj,ijc->rsc", weights, weights, grid)
    grid = grid.reshape(1, new**2, -1).astype("float32")
    return np.concatenate([array[:, :1].astype("float32"), grid], axis=1)


def resize_times(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Interpolates the embedding of times, linear.

    Args:
        array: `(1, num_frames, channels)`.
        shape: the same of other frames.

    Returns:
        The embedding in that shape, or `None` where it is none of other frames.
    """
    if not _differs_in_length_only(array, shape):
        return None
    weights = interpolation_matrix(array.shape[1], shape[1], _triangle, 1)
    return np.einsum("ti,bic->btc", weights, array.astype("float64")).astype("float32")


def _differs_in_length_only(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    return array.ndim == len(shape) == 3 and (1, shape[2]) == (array.shape[0], array.shape[2])


def interpolation_matrix(old: int, new: int, kernel, reach: int) -> np.ndarray:
    """`(new, old)`: what each new sample has of the old ones, centres aligned, edges repeated."""
    matrix = np.zeros((new, old))
    for row in range(new):
        position = (row + 0.5) * old / new - 0.5
        first = math.floor(position) - reach + 1
        for index in range(first, first + 2 * reach):
            matrix[row, min(max(index, 0), old - 1)] += kernel(abs(position - index))
    return matrix


def _triangle(distance: float) -> float:
    return max(1.0 - distance, 0.0)


def _cubic(distance: float, a: float = -0.75) -> float:
    """Keys' kernel with the slope that torch and OpenCV have."""
    if distance < 1:
        return ((a + 2) * distance - (a + 3)) * distance**2 + 1
    if distance < 2:
        return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return 0.0
