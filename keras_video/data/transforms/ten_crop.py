"""Ten squares, half of them mirrored."""

import numpy as np

from keras_video.data import crops
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip


@keras_serializable
class TenCrop(Transform):
    """Ten views of a clip: corners and center, each followed by its mirror image (TSN).

    Views are for testing: a model's answer is the mean over them. This comes last in a `Compose`;
    only `Normalize` may follow.

    Args:
        size: height and width of the crops in pixels.

    Returns:
        Array `(10, time, size, size, 3)`.

    Example:

    >>> TenCrop(224)(clip).shape
    (10, 8, 224, 224, 3)
    """

    def __init__(self, size: int):
        self.size = as_size("size", size)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        check_clip(clip)
        return crops.ten_crop(clip, self.size)
