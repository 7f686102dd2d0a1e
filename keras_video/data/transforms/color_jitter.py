"""Random brightness, contrast, saturation and hue."""

import numpy as np

from keras_video.data.transforms import color_matrix
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_range, check_clip, check_rng


@keras_serializable
class ColorJitter(Transform):
    """Changes brightness, contrast, saturation and hue, in random order.

    The changes are put together to one matrix, so pixels are limited to 0 to 255 once, at the end.
    Contrast refers to the mean grey level of the clip. Hue turns the plane of colours of YIQ, which
    keeps the grey level of every pixel.

    Args:
        brightness: a factor is drawn from `1 - brightness` to `1 + brightness`, or from a range
            `(low, high)`.
        contrast: likewise; 0 is grey, 1 changes nothing.
        saturation: likewise; 0 is grey, 1 changes nothing.
        hue: turns are drawn from `-hue` to `hue`, at most 0.5, or from a range.

    Example:

    >>> jittered = ColorJitter(0.4, 0.4, 0.4, 0.1)(clip, np.random.default_rng(0))
    """

    def __init__(
        self,
        brightness: float | tuple[float, float] = 0.0,
        contrast: float | tuple[float, float] = 0.0,
        saturation: float | tuple[float, float] = 0.0,
        hue: float | tuple[float, float] = 0.0,
    ):
        self.brightness = _factors("brightness", brightness)
        self.contrast = _factors("contrast", contrast)
        self.saturation = _factors("saturation", saturation)
        if isinstance(hue, (int, float)) and hue >= 0:
            hue = (-hue, hue)
        self.hue = as_range("hue", hue, -0.5, 0.5)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        check_clip(clip)
        rng = check_rng(self, rng)
        grey = color_matrix.mean_grey(clip)
        makers = (
            (self.brightness, color_matrix.brightness),
            (self.contrast, lambda factor: color_matrix.contrast(factor, grey)),
            (self.saturation, color_matrix.saturation),
            (self.hue, color_matrix.hue),
        )
        matrix = color_matrix.brightness(1.0)
        for index in rng.permutation(len(makers)):
            (low, high), make = makers[index]
            amount = float(rng.uniform(low, high))
            matrix = color_matrix.chain(matrix, make(amount))
            if index == 0:
                grey *= amount  # of the four, only brightness changes the mean
        if np.allclose(matrix, color_matrix.brightness(1.0), rtol=0, atol=1e-6):
            return clip
        return color_matrix.apply_matrix(clip, matrix)


def _factors(name: str, value: float | tuple[float, float]) -> tuple[float, float]:
    if isinstance(value, (int, float)) and value >= 0:
        value = (max(1.0 - value, 0.0), 1.0 + value)
    return as_range(name, value, 0, 100)
