"""`GraphResizing`: the resizing of `keras_video.data.resizing` as part of a graph."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

# OpenCV's fixed-point weights have 11 bits, Pillow's twice as many.
_WEIGHT = 2**11
# Of columns, for `"bilinear"`.
_BLOCKS = 8
# Largest frames whose rounding is compared with Python's when the graph is made.
_COMPARED_SIDES = (2160, 3840)


class GraphResizing:
    """Resizes frames of any size to a short side and computes the part that is asked for.

    Pixels are those of `resize_short_side`: all numbers that occur are whole and fit into float32
    or int32, for frames of up to 8192 pixels a side (`rounding="nearest"`: 3840 x 2160) and, with
    `"bilinear"`, of up to 15 times the size they get. `"bilinear"`, Pillow's filter, is two
    products with matrices of weights. Operations are those that ONNX, OpenVINO and LiteRT have.

    Args:
        short_side: length of the shorter side, or `None` to resize nothing.
        aspect_ratio: see `resize_short_side`.
        interpolation: `"bilinear"` or `"opencv_linear"`.
        rounding: see `resize_short_side`.

    Example:

    >>> resizing = GraphResizing(256)
    >>> upper_left = resizing.region(720, 1280, tf.range(224), tf.range(224))
    >>> upper_left(tf.zeros((8, 720, 1280, 3), tf.uint8)).shape
    TensorShape([8, 224, 224, 3])
    """

    def __init__(
        self,
        short_side: int | None,
        *,
        aspect_ratio: float | None = None,
        interpolation: str = "bilinear",
        rounding: str = "floor",
    ):
        self.short_side = short_side
        self.aspect_ratio = aspect_ratio
        self.interpolation = interpolation
        self.rounding = rounding
        self._rounded_otherwise = None
        if short_side is not None and rounding == "nearest" and aspect_ratio is None:
            self._rounded_otherwise = _rounded_otherwise(short_side)

    def size(self, height, width) -> tuple:
        """The height and width (int32 scalars) that frames are resized to."""
        if self.short_side is None:
            return height, width
        short, long = tf.minimum(height, width), tf.maximum(height, width)
        new_long = tf.where(short == self.short_side, long, self._new_long(short, long))
        portrait = width <= height
        short_side = tf.constant(self.short_side)
        return (
            tf.where(portrait, new_long, short_side),
            tf.where(portrait, short_side, new_long),
        )

    def _new_long(self, short, long):
        if self.aspect_ratio is not None:
            return tf.constant(int(self.short_side * self.aspect_ratio))
        if self.rounding == "floor":
            return long * self.short_side // short
        rounded = (2 * long * self.short_side + short) // (2 * short)
        shorts, longs = self._rounded_otherwise
        if len(shorts):
            found = tf.cast((shorts == short) & (longs == long), tf.int32)
            rounded -= tf.reduce_max(found)
        return rounded

    def region(self, height, width, rows, columns) -> Callable:
        """What resizes frames of a size, for all that have it.

        Args:
            height: of the frames, int32 scalar.
            width: likewise.
            rows: neighbouring rows of the resized frames to compute, ascending, int32 vector.
            columns: likewise.

        Returns:
            A function from uint8 `(time, height, width, 3)` to `(time, rows, columns, 3)`. Where
            nothing is resized, rows and columns beyond the frame repeat its last ones.
        """
        if self.short_side is None:
            rows, columns = tf.minimum(rows, height - 1), tf.minimum(columns, width - 1)
            return lambda frames: tf.gather(tf.gather(frames, rows, axis=1), columns, axis=2)
        size = self.size(height, width)
        if self.interpolation == "opencv_linear":
            down = _linear_weights(height, size[0], rows)
            across = _linear_weights(width, size[1], columns)
            return lambda frames: _opencv_linear(frames, down, across)
        down = _triangles(height, size[0], rows, blocks=1)
        across = _triangles(width, size[1], columns, blocks=_BLOCKS)
        count = tf.shape(columns)[0]
        return lambda frames: _pillow(frames, down, across)[:, :, :count]


def _rounded_otherwise(short_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Sides whose new length float64 rounds down although it is exactly a half."""
    shorts, longs = [], []
    for short in range(1, _COMPARED_SIDES[0] + 1):
        # Of the others, no new length is whole or a half.
        step = short // math.gcd(2 * short_side, short)
        long = np.arange(-(-short // step) * step, _COMPARED_SIDES[1] + 1, step)
        python = (long * (short_side / short) + 0.5).astype(np.int64)
        long = long[python < (2 * long * short_side + short) // (2 * short)]
        shorts += [short] * len(long)
        longs += long.tolist()
    return np.array(shorts, np.int32), np.array(longs, np.int32)


def _pillow(frames, down: tuple, across: tuple):
    """Each pass rounds to whole grey levels, as Pillow's does; across first.

    Most weights of a whole row are 0, so new columns are computed in blocks that look only at the
    old columns near them.
    """
    (rows, down), (columns, across) = down, across
    time, blocks = tf.shape(frames)[0], _BLOCKS
    new_rows, old_rows = tf.shape(down[0])[1], tf.shape(rows)[1]
    block, near = tf.shape(across[0])[1], tf.shape(columns)[1]
    frames = tf.gather(frames, tf.reshape(rows, (-1,)), axis=1)
    frames = tf.gather(frames, tf.reshape(columns, (-1,)), axis=2)
    frames = tf.reshape(frames, tf.stack([time, old_rows, blocks, near, 3]))
    frames = tf.cast(tf.transpose(frames, (2, 0, 1, 4, 3)), tf.float32)
    frames = tf.reshape(frames, tf.stack([blocks, -1, near]))
    frames = _rounded(*(tf.matmul(frames, part, transpose_b=True) for part in across))
    frames = tf.reshape(frames, tf.stack([-1, old_rows, 3 * block]))
    frames = _rounded(*(tf.matmul(part, frames) for part in down))
    frames = tf.reshape(frames, tf.stack([blocks, time, new_rows, 3, block]))
    frames = tf.transpose(tf.cast(frames, tf.uint8), (1, 2, 0, 4, 3))
    return tf.reshape(frames, tf.stack([time, new_rows, blocks * block, 3]))


def _triangles(old, new, positions, blocks: int) -> tuple:
    """The old pixels near each block of new ones, and their weights.

    Returns old pixels `(blocks, near)` and two matrices `(blocks, new in a block, near)`. A weight
    is the first one's number over 2**11 plus the second one's over 2**22. In units of
    `1 / (2 * new)` old pixels, centers and the triangles around them are integers.
    """
    count = tf.shape(positions)[0]
    block = (count + blocks - 1) // blocks
    positions = tf.gather(positions, tf.minimum(tf.range(blocks * block), count - 1))
    centers = (2 * tf.reshape(positions, tf.stack([blocks, block])) + 1) * old
    reach = 2 * tf.maximum(old, new)
    starts = tf.maximum(centers[:, 0] - reach - new, 0) // (2 * new)
    ends = (centers[:, -1] + reach + new) // (2 * new) + 2
    pixels = starts[:, None] + tf.range(tf.reduce_max(ends - starts))
    distances = tf.abs((2 * pixels[:, None] + 1) * new - centers[:, :, None])
    heights = tf.maximum(reach - distances, 0) * tf.cast(pixels < old, tf.int32)[:, None]
    total = tf.reduce_sum(heights, axis=2, keepdims=True)
    coarse, rest = heights * _WEIGHT // total, heights * _WEIGHT % total
    fine = (2 * _WEIGHT * rest + total) // (2 * total)
    weights = tf.cast(coarse, tf.float32), tf.cast(fine, tf.float32)
    return tf.minimum(pixels, old - 1), weights


def _rounded(coarse, fine):
    """Whole grey levels of sums with the two parts of weights."""
    fine = tf.floor(fine * (1 / _WEIGHT))
    return tf.floor((coarse + fine) * (1 / _WEIGHT) + 0.5)


def _opencv_linear(frames, vertical: tuple, horizontal: tuple):
    """The fixed-point steps of OpenCV in float32, which holds all numbers that occur."""
    top, bottom, down = vertical
    left, right, across = horizontal
    rows = tf.gather(frames, tf.concat([top, bottom], 0), axis=1)
    first = tf.cast(tf.gather(rows, left, axis=2), tf.float32)
    step = tf.cast(tf.gather(rows, right, axis=2), tf.float32) - first
    wide = tf.floor(first * 128.0 + step * across[:, None] * (1 / 16))
    upper, lower = tf.split(wide, 2, axis=1)
    down = down[:, None, None]
    upper = _product_over_65536(upper, _WEIGHT - down)
    lower = _product_over_65536(lower, down)
    return tf.cast(tf.floor((upper + lower + 2.0) * 0.25), tf.uint8)


def _product_over_65536(values, weights):
    """`floor(values * weights / 65536)` in two parts: the product is too long for float32."""
    high = tf.floor(values * (1 / 64))
    low = values - high * 64.0
    return tf.floor((high * weights + tf.floor(low * weights * (1 / 64))) * (1 / 1024))


def _linear_weights(old, new, positions) -> tuple:
    """For each new pixel, the two old ones that it lies between and the weight of the second.

    OpenCV's positions are float32 and so coarser, the larger they are; that decides some weights.
    """
    divisor = 2 * new
    centers = tf.maximum((2 * positions + 1) * old - new, 0)
    first, rest = centers // divisor, centers % divisor
    # Bits that a position has behind those of the weight, from 12 for the first two pixels to 0.
    powers = 2 ** np.arange(1, 13, dtype=np.int32)
    exponent = tf.reduce_sum(tf.cast(first[:, None] >= powers, tf.int32), axis=1)
    finer = tf.gather(2 ** np.arange(12, -1, -1, dtype=np.int32), exponent)
    coarse, rest = rest * _WEIGHT // divisor, rest * _WEIGHT % divisor
    position = coarse * finer + _divide_to_nearest(rest * finer, divisor)
    weight = _divide_to_nearest(position, finer)
    weight *= tf.cast(first < old - 1, tf.int32)
    return (
        tf.minimum(first, old - 1),
        tf.minimum(first + 1, old - 1),
        tf.cast(weight, tf.float32),
    )


def _divide_to_nearest(values, divisors):
    """Rounds halves to even."""
    quotient = values // divisors
    twice = 2 * (values % divisors) + quotient % 2
    return quotient + tf.cast(twice > divisors, tf.int32)
