"""Resizing of frames, as the libraries do it that published results come from."""

import functools

import numpy as np
from PIL import Image

INTERPOLATIONS = ("bilinear", "opencv_linear")
# OpenCV's fixed-point weights have 11 bits.
_WEIGHT_BITS = 11


def resize(
    frames: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear"
) -> np.ndarray:
    """Resizes one frame or all frames of a clip.

    Args:
        frames: uint8 array `(height, width, 3)` or `(time, height, width, 3)`.
        size: new `(height, width)`.
        interpolation: `"bilinear"` is Pillow's, which averages over all pixels when it makes a
            frame smaller; PaddleVideo's `backend: pillow` (its default), exactly.
            `"opencv_linear"` is that of `cv2.resize(..., INTER_LINEAR)`, which looks at four
            pixels only; PaddleVideo's `backend: cv2`, within 1 grey level.

    Returns:
        uint8 array of the same rank. Frames that have the size already are returned as they are.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"`interpolation` must be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation!r}"
        )
    if frames.ndim not in (3, 4) or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(
            "`frames` must be uint8 of shape (height, width, 3) or (time, height, width, 3). "
            f"Received: shape={frames.shape}, dtype={frames.dtype}"
        )
    if frames.shape[-3:-1] == tuple(size):
        return frames
    one = _resize_pillow if interpolation == "bilinear" else _resize_opencv_linear
    if frames.ndim == 3:
        return one(frames, tuple(size))
    return np.stack([one(frame, tuple(size)) for frame in frames])


def resize_short_side(
    frames: np.ndarray,
    short_side: int,
    *,
    aspect_ratio: float | None = None,
    interpolation: str = "bilinear",
    rounding: str = "floor",
) -> np.ndarray:
    """Resizes so that the shorter side has `short_side` pixels.

    Frames whose shorter side has that length already are returned as they are.

    Args:
        frames: uint8 array `(height, width, 3)` or `(time, height, width, 3)`.
        short_side: length of the shorter side.
        aspect_ratio: longer to shorter side. By default frames keep theirs; 4/3 gives all of
            them the shape that PaddleVideo's `Scale` gives by default, which distorts others.
        interpolation: see `resize`.
        rounding: of the longer side, `"floor"` or `"nearest"` (PaddleVideo's `do_round`).

    Returns:
        uint8 array of the same rank.
    """
    size = short_side_size(
        *frames.shape[-3:-1], short_side, aspect_ratio=aspect_ratio, rounding=rounding
    )
    return resize(frames, size, interpolation)


def short_side_size(
    height: int,
    width: int,
    short_side: int,
    *,
    aspect_ratio: float | None = None,
    rounding: str = "floor",
) -> tuple[int, int]:
    """The `(height, width)` that `resize_short_side` resizes to."""
    if rounding not in ("nearest", "floor"):
        raise ValueError(
            f"`rounding` must be 'nearest' or 'floor'. Received: rounding={rounding!r}"
        )
    short, long = sorted((height, width))
    if short == short_side:
        return height, width
    if aspect_ratio is not None:
        new_long = int(short_side * aspect_ratio)
    elif rounding == "nearest":
        new_long = int(long * (short_side / short) + 0.5)
    else:
        new_long = long * short_side // short
    return (new_long, short_side) if width <= height else (short_side, new_long)


def _resize_pillow(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(frame))
    return np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR))


def _resize_opencv_linear(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """In OpenCV's own fixed-point steps; only rows that the result needs are widened."""
    top, bottom, down = _linear_weights(frame.shape[0], size[0])
    left, right, across = _linear_weights(frame.shape[1], size[1])
    rows, positions = np.unique(np.concatenate([top, bottom]), return_inverse=True)
    flat = frame[rows].reshape(len(rows), -1)

    def columns(pixels: np.ndarray) -> np.ndarray:
        return flat.take((3 * pixels[:, None] + np.arange(3)).reshape(-1), axis=1).astype(np.int32)

    wide = columns(left)
    step = columns(right) - wide
    step *= np.repeat(across, 3)
    wide <<= _WEIGHT_BITS
    wide += step
    wide >>= 4
    upper = wide.take(positions[: size[0]], axis=0)
    lower = wide.take(positions[size[0] :], axis=0)
    upper *= (1 << _WEIGHT_BITS) - down[:, None]
    lower *= down[:, None]
    upper >>= 16
    lower >>= 16
    upper += lower + 2
    upper >>= 2
    return upper.astype(np.uint8).reshape(*size, 3)


@functools.lru_cache(maxsize=64)
def _linear_weights(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new pixel, the two old ones that it lies between and the weight of the second."""
    centers = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32)
    first = np.floor(centers).astype(np.int64)
    weight = np.rint((centers - first) * np.float32(1 << _WEIGHT_BITS)).astype(np.int32)
    weight[(first < 0) | (first >= old - 1)] = 0
    first = np.clip(first, 0, old - 1)
    return first, np.minimum(first + 1, old - 1), weight
