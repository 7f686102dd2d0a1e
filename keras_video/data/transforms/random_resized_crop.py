"""Crops of random area and shape (Inception)."""

import math

import numpy as np

from keras_video.data.transforms.clip_resizing import check_interpolation, resize_clip
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import (
    Transform,
    as_range,
    as_size,
    check_clip,
    check_rng,
)

_ATTEMPTS = 10


@keras_serializable
class RandomResizedCrop(Transform):
    """A crop of random area, shape and place, resized to a square.

    Args:
        size: height and width of the result in pixels.
        scale: least and greatest area of the crop, as a part of the frame.
        ratio: least and greatest width over height of the crop.
        interpolation: `"bilinear"` (Pillow's) or `"opencv_linear"`, see `keras_video.data.resize`.

    Returns:
        Array `(time, size, size, 3)`. Where no crop of the drawn shape fits, it shows the largest
        one in the middle whose shape `ratio` allows.

    Example:

    >>> RandomResizedCrop(224)(clip, np.random.default_rng(0)).shape
    (8, 224, 224, 3)

    Reference:
        Szegedy et al., Going deeper with convolutions, 2015 (https://arxiv.org/abs/1409.4842).
    """

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
    ):
        self.size = as_size("size", size)
        self.scale = as_range("scale", scale, 1e-6, 1)
        self.ratio = as_range("ratio", ratio, 1e-3, 1e3)
        self.interpolation = check_interpolation(interpolation)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        height, width = check_clip(clip)
        top, left, crop_height, crop_width = self._draw(height, width, check_rng(self, rng))
        crop = clip[:, top : top + crop_height, left : left + crop_width]
        return resize_clip(crop, (self.size, self.size), self.interpolation)

    def _draw(self, height: int, width: int, rng) -> tuple[int, int, int, int]:
        low, high = (math.log(ratio) for ratio in self.ratio)
        for _ in range(_ATTEMPTS):
            area = height * width * rng.uniform(*self.scale)
            ratio = math.exp(rng.uniform(low, high))
            crop_height = max(round(math.sqrt(area / ratio)), 1)
            crop_width = max(round(math.sqrt(area * ratio)), 1)
            if crop_height <= height and crop_width <= width:
                top = rng.integers(0, height - crop_height + 1)
                left = rng.integers(0, width - crop_width + 1)
                return int(top), int(left), crop_height, crop_width
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        crop_height = min(height, max(round(width / ratio), 1))
        crop_width = min(width, max(round(height * ratio), 1))
        return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width
