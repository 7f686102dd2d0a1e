"""Puts clips side by side."""

from collections.abc import Sequence

import numpy as np


def tile(
    clips: Sequence[np.ndarray], columns: int, gap: int = 4, fill: tuple[int, int, int] = (0, 0, 0)
) -> np.ndarray:
    """Arranges clips in a grid, row by row.

    Shorter clips hold their last frame; smaller ones sit in the top left corner of their cell.

    Args:
        clips: `uint8` RGB arrays `(time, height, width, 3)`.
        columns: cells in a row.
        gap: pixels between cells.
        fill: RGB colour of gaps and empty cells.

    Returns:
        `uint8` RGB array `(longest time, grid height, grid width, 3)`.

    Raises:
        ValueError: no clips, or fewer than one column.

    Example:

    >>> tile([np.zeros((5, 32, 32, 3), "uint8")] * 3, columns=2, gap=2).shape
    (5, 66, 66, 3)
    """
    if not clips or columns < 1:
        raise ValueError(
            f"A grid needs clips and columns. Received: {len(clips)} clips, columns={columns}"
        )
    time, height, width = (max(clip.shape[axis] for clip in clips) for axis in range(3))
    rows = -(-len(clips) // columns)
    shape = (time, rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    grid = np.empty(shape, "uint8")
    grid[...] = fill
    for cell, clip in enumerate(clips):
        top = cell // columns * (height + gap)
        left = cell % columns * (width + gap)
        area = grid[:, top : top + clip.shape[1], left : left + clip.shape[2]]
        area[: len(clip)] = clip
        area[len(clip) :] = clip[-1]
    return grid
