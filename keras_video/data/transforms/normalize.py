"""Pixels with zero mean and unit variance."""

from collections.abc import Sequence

import numpy as np

from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform


@keras_serializable
class Normalize(Transform):
    """Subtracts a mean and divides by a standard deviation, for each channel.

    The models of this package normalise by themselves: this is for other models, and for those
    that were built with `normalize=None`.

    Args:
        mean: of the channels, for pixels from 0 to 1. By default ImageNet's.
        std: standard deviation of the channels.

    Call arguments:
        clip: array of any shape that ends in the channels, so views of a clip too.

    Returns:
        float32 array of the same shape.

    Example:

    >>> Normalize((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))(clip).dtype
    dtype('float32')
    """

    def __init__(
        self,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ):
        self.mean = tuple(float(value) for value in mean)
        self.std = tuple(float(value) for value in std)
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(
                "`mean` and `std` have one number for each of three channels, and `std` positive "
                f"ones. Received: mean={mean!r}, std={std!r}"
            )

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        scale = 1 / (255 * np.asarray(self.std, np.float32))
        offset = -np.asarray(self.mean, np.float32) / np.asarray(self.std, np.float32)
        normalized = np.multiply(clip, scale, dtype=np.float32)
        normalized += offset
        return normalized
