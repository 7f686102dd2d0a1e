"""A square anywhere in the frame."""

import numpy as np

from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip, check_rng


@keras_serializable
class RandomCrop(Transform):
    """A square of the given size at a random place, the same in all frames.

    Args:
        size: height and width of the crop in pixels.

    Returns:
        A view `(time, size, size, 3)`.

    Raises:
        ValueError: the frames are smaller than the crop.

    Example:

    >>> RandomCrop(224)(clip, np.random.default_rng(0)).shape
    (8, 224, 224, 3)
    """

    def __init__(self, size: int):
        self.size = as_size("size", size)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        height, width = check_clip(clip)
        rng = check_rng(self, rng)
        if self.size > min(height, width):
            raise ValueError(
                f"The crop must fit into the frames of {height}x{width} pixels; scale them first, "
                f"for example with `ShortSideScale`. Received: size={self.size}"
            )
        left = rng.integers(0, width - self.size + 1)
        top = rng.integers(0, height - self.size + 1)
        return clip[:, top : top + self.size, left : left + self.size]
