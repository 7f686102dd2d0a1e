"""Frames of a random size."""

import numpy as np

from keras_video.data.resizing import short_side_size
from keras_video.data.transforms.clip_resizing import check_interpolation, resize_clip
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_range, check_clip, check_rng


@keras_serializable
class JitterScale(Transform):
    """Resizes a clip so that the shorter side has a random length (SlowFast, TimeSformer).

    Args:
        short_side: least and greatest length in pixels.
        interpolation: `"bilinear"` (Pillow's) or `"opencv_linear"`, see `keras_video.data.resize`.

    Example:

    >>> JitterScale((256, 320))(clip, np.random.default_rng(0)).shape
    (8, 296, 393, 3)
    """

    def __init__(
        self, short_side: tuple[float, float] = (256, 320), interpolation: str = "bilinear"
    ):
        self.short_side = as_range("short_side", short_side, 1, 1 << 15)
        self.interpolation = check_interpolation(interpolation)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        height, width = check_clip(clip)
        short_side = round(float(check_rng(self, rng).uniform(*self.short_side)))
        return resize_clip(clip, short_side_size(height, width, short_side), self.interpolation)
