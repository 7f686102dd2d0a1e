"""The square in the middle."""

import numpy as np

from keras_video.data import crops
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip


@keras_serializable
class CenterCrop(Transform):
    """The square in the middle of the frames.

    Args:
        size: height and width of the crop in pixels.
        rounding: where the margin is odd: `"nearest"` or `"floor"`, see
            `keras_video.data.center_crop`.

    Returns:
        A view `(time, size, size, 3)`.

    Example:

    >>> CenterCrop(224)(clip).shape
    (8, 224, 224, 3)
    """

    def __init__(self, size: int, rounding: str = "nearest"):
        self.size = as_size("size", size)
        crops.center_crop(np.zeros((1, 1, 3), np.uint8), 1, rounding=rounding)
        self.rounding = rounding

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        check_clip(clip)
        return crops.center_crop(clip, self.size, rounding=self.rounding)
