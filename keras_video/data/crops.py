"""Square crops of frames, the same for all frames of a clip.

All take `(..., height, width, channels)`. The crops with several positions return them stacked
on a new first axis.
"""

import math

import numpy as np


def center_crop(frames: np.ndarray, size: int, *, rounding: str = "nearest") -> np.ndarray:
    """The square in the middle.

    Args:
        frames: array `(..., height, width, channels)`.
        size: height and width of the crop.
        rounding: where the margin is odd. `"nearest"` rounds half a pixel to the even offset
            (PaddleVideo's `do_round=True`), `"floor"` takes the smaller offset.

    Returns:
        A view `(..., size, size, channels)`.
    """
    if rounding not in ("nearest", "floor"):
        raise ValueError(
            f"`rounding` must be 'nearest' or 'floor'. Received: rounding={rounding!r}"
        )
    height, width = _check(frames, size)
    if rounding == "nearest":
        top, left = round((height - size) / 2), round((width - size) / 2)
    else:
        top, left = (height - size) // 2, (width - size) // 2
    return _cut(frames, size, top, left)


def three_crop(frames: np.ndarray, size: int) -> np.ndarray:
    """Left, right and center, at the middle of the height (PaddleVideo's GroupFullResSample).

    Offsets are multiples of a quarter of the margin, rounded down.

    Args:
        frames: array `(..., height, width, channels)`, wider than high or not.
        size: height and width of the crops.

    Returns:
        Array `(3, ..., size, size, channels)`.
    """
    down, right = _quarters(frames, size)
    offsets = [(2 * down, 0), (2 * down, 4 * right), (2 * down, 2 * right)]
    return np.stack([_cut(frames, size, *offset) for offset in offsets])


def uniform_crop(frames: np.ndarray, size: int) -> np.ndarray:
    """Start, center and end along the longer side (SlowFast, TimeSformer).

    Args:
        frames: array `(..., height, width, channels)`.
        size: height and width of the crops.

    Returns:
        Array `(3, ..., size, size, channels)`: left, center, right, or top, center, bottom.
    """
    height, width = _check(frames, size)
    top, left = math.ceil((height - size) / 2), math.ceil((width - size) / 2)
    if height > width:
        offsets = [(0, left), (top, left), (height - size, left)]
    else:
        offsets = [(top, 0), (top, left), (top, width - size)]
    return np.stack([_cut(frames, size, *offset) for offset in offsets])


def ten_crop(frames: np.ndarray, size: int) -> np.ndarray:
    """The four corners and the center, each followed by its mirror image (TSN).

    Offsets are multiples of a quarter of the margin, rounded down.

    Args:
        frames: array `(..., height, width, channels)`.
        size: height and width of the crops.

    Returns:
        Array `(10, ..., size, size, channels)`: upper left, upper right, lower left, lower right,
        center, mirrored ones in between.
    """
    down, right = _quarters(frames, size)
    offsets = [(0, 0), (0, 4 * right), (4 * down, 0), (4 * down, 4 * right), (2 * down, 2 * right)]
    crops = []
    for offset in offsets:
        crop = _cut(frames, size, *offset)
        crops += [crop, crop[..., ::-1, :]]
    return np.stack(crops)


def _single(frames: np.ndarray, size: int) -> np.ndarray:
    return center_crop(frames, size)[None]


# name -> (number of crops, function(frames, size) -> (crops, ..., size, size, channels))
CROPS = {
    "center": (1, _single),
    "three": (3, three_crop),
    "uniform": (3, uniform_crop),
    "ten": (10, ten_crop),
}


def _check(frames: np.ndarray, size: int) -> tuple[int, int]:
    height, width = frames.shape[-3:-1]
    if size < 1 or size > min(height, width):
        raise ValueError(
            f"The crop must fit into the frames of {height}x{width} pixels. Received: size={size}"
        )
    return height, width


def _quarters(frames: np.ndarray, size: int) -> tuple[int, int]:
    height, width = _check(frames, size)
    return (height - size) // 4, (width - size) // 4


def _cut(frames: np.ndarray, size: int, top: int, left: int) -> np.ndarray:
    return frames[..., top : top + size, left : left + size, :]
