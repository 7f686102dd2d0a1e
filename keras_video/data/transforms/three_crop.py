"""Three squares that cover the frame."""

import numpy as np

from keras_video.data import crops
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip


@keras_serializable
class ThreeCrop(Transform):
    """Three views of a clip: start, middle and end of the longer side.

    Views are for testing: a model's answer is the mean over them. This comes last in a `Compose`;
    only `Normalize` may follow.

    Args:
        size: height and width of the crops in pixels.
        along: `"longer"` side (SlowFast, TimeSformer); or `"width"`: left, right and center at
            the middle of the height (PP-TSM).

    Returns:
        Array `(3, time, size, size, 3)`.

    Example:

    >>> ThreeCrop(256)(clip).shape
    (3, 8, 256, 256, 3)
    """

    def __init__(self, size: int, along: str = "longer"):
        self.size = as_size("size", size)
        if along not in ("longer", "width"):
            raise ValueError(f"`along` must be 'longer' or 'width'. Received: along={along!r}")
        self.along = along

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        check_clip(clip)
        crop = crops.uniform_crop if self.along == "longer" else crops.three_crop
        return crop(clip, self.size)
