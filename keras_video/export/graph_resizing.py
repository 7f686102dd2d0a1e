"""`GraphResizing`: the resizing of `keras_video.data.resizing` as part of a graph."""

import numpy as np
import tensorflow as tf

# Pillow's fixed-point weights have 22 bits, OpenCV's 11.
_PILLOW_WEIGHT = 2.0**22
_OPENCV_WEIGHT = 2**11
# Largest frames whose rounding is compared with Python's when the graph is made.
_COMPARED_SIDES = (2160, 3840)


class GraphResizing:
    """Resizes frames of any size to a short side and computes the part that is asked for.

    `"bilinear"` is Pillow's filter as two products with matrices of weights, in float32: of a
    thousand pixels fewer than one differ from Pillow's, by 1. `"opencv_linear"` is exact for
    frames of up to 8192 pixels a side. Operations are those that ONNX, OpenVINO and LiteRT have.

    Args:
        short_side: length of the shorter side, or `None` to resize nothing.
        aspect_ratio: see `resize_short_side`.
        interpolation: `"bilinear"` or `"opencv_linear"`.
        rounding: see `resize_short_side`.

    Call arguments:
        frames: uint8 tensor `(time, height, width, 3)`.
        size: new height and width, from the method `size`.
        rows: int32 vector, neighbouring rows of the resized frames, ascending.
        columns: int32 vector, likewise.

    Returns (call):
        uint8 tensor `(time, rows, columns, 3)`. Without resizing, rows and columns beyond the
        frame repeat its last ones.

    Example:

    >>> resizing = GraphResizing(256)
    >>> height, width = resizing.size(tf.constant(720), tf.constant(1280))
    >>> resizing(frames, (height, width), tf.range(224), tf.range(224)).shape
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

    def __call__(self, frames, size, rows, columns):
        shape = tf.shape(frames)
        if self.short_side is None:
            frames = tf.gather(frames, tf.minimum(rows, shape[1] - 1), axis=1)
            return tf.gather(frames, tf.minimum(columns, shape[2] - 1), axis=2)
        resize = _opencv_linear if self.interpolation == "opencv_linear" else _pillow
        return resize(frames, (shape[1], size[0], rows), (shape[2], size[1], columns))


def _rounded_otherwise(short_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Sides whose new length float64 rounds down although it is exactly a half."""
    short = np.arange(1, _COMPARED_SIDES[0] + 1)[:, None]
    long = np.arange(1, _COMPARED_SIDES[1] + 1)[None]
    python = (long * (short_side / short) + 0.5).astype(np.int64)
    short_index, long_index = np.nonzero(
        (python < (2 * long * short_side + short) // (2 * short)) & (short <= long)
    )
    return (short_index + 1).astype(np.int32), (long_index + 1).astype(np.int32)


def _pillow(frames, vertical: tuple, horizontal: tuple):
    """Each pass rounds to whole grey levels, as Pillow's does; across first."""
    top, bottom, down = _triangles(*vertical)
    left, right, across = _triangles(*horizontal)
    time, rows, columns = tf.shape(frames)[0], bottom - top, right - left
    new_rows, new_columns = tf.shape(vertical[2])[0], tf.shape(horizontal[2])[0]
    frames = tf.slice(frames, tf.stack([0, top, left, 0]), tf.stack([time, rows, columns, 3]))
    frames = tf.cast(tf.transpose(frames, (0, 1, 3, 2)), tf.float32)
    frames = tf.matmul(tf.reshape(frames, tf.stack([-1, columns])), across, transpose_b=True)
    frames = tf.reshape(tf.floor(frames + 0.5), tf.stack([time, rows, 3 * new_columns]))
    frames = tf.floor(tf.matmul(down[None], frames) + 0.5)
    frames = tf.reshape(frames, tf.stack([time, new_rows, 3, new_columns]))
    return tf.cast(tf.transpose(frames, (0, 1, 3, 2)), tf.uint8)


def _triangles(old, new, positions) -> tuple:
    """Weights of the old pixels from `start` to before `end` for new ones: `(new, old)`.

    In twice the units of a new pixel's width in old pixels, centers and weights are integers.
    """
    reach = 2 * tf.maximum(old, new)
    centers = (2 * positions + 1) * old
    start = tf.maximum(centers[0] - reach - new, 0) // (2 * new)
    end = tf.minimum((centers[-1] + reach + new) // (2 * new) + 2, old)
    pixels = (2 * tf.range(start, end) + 1) * new
    distances = tf.abs(tf.cast(pixels[None] - centers[:, None], tf.float32))
    weights = tf.maximum(tf.cast(reach, tf.float32) - distances, 0.0)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    return start, end, tf.floor(weights * _PILLOW_WEIGHT + 0.5) * (1 / _PILLOW_WEIGHT)


def _opencv_linear(frames, vertical: tuple, horizontal: tuple):
    """The fixed-point steps of OpenCV in float32, which holds all numbers that occur."""
    top, bottom, down = _linear_weights(*vertical)
    left, right, across = _linear_weights(*horizontal)
    rows = tf.gather(frames, tf.concat([top, bottom], 0), axis=1)
    first = tf.cast(tf.gather(rows, left, axis=2), tf.float32)
    step = tf.cast(tf.gather(rows, right, axis=2), tf.float32) - first
    wide = tf.floor(first * 128.0 + step * across[:, None] * (1 / 16))
    upper, lower = tf.split(wide, 2, axis=1)
    down = down[:, None, None]
    upper = _product_over_65536(upper, _OPENCV_WEIGHT - down)
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
    coarse, rest = rest * _OPENCV_WEIGHT // divisor, rest * _OPENCV_WEIGHT % divisor
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
