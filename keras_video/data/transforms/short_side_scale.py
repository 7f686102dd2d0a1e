"""Frames whose shorter side has a given length."""

import numpy as np

from keras_video.data.resizing import short_side_size
from keras_video.data.transforms.clip_resizing import check_interpolation, resize_clip
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip


@keras_serializable
class ShortSideScale(Transform):
    """Resizes a clip so that the shorter side of its frames has a given length.

    Args:
        short_side: length in pixels.
        aspect_ratio: longer to shorter side. By default frames keep theirs; 4/3 distorts other
            shapes as the recipe of PP-TSM does.
        interpolation: `"bilinear"` (Pillow's) or `"opencv_linear"`, see `keras_video.data.resize`.
        rounding: of the longer side, `"floor"` or `"nearest"`.

    Example:

    >>> ShortSideScale(256)(clip).shape
    (8, 256, 341, 3)
    """

    def __init__(
        self,
        short_side: int,
        aspect_ratio: float | None = None,
        interpolation: str = "bilinear",
        rounding: str = "floor",
    ):
        self.short_side = as_size("short_side", short_side)
        if aspect_ratio is not None and aspect_ratio < 1:
            raise ValueError(
                "`aspect_ratio` is the longer side over the shorter, at least 1. "
                f"Received: aspect_ratio={aspect_ratio!r}"
            )
        self.aspect_ratio = aspect_ratio
        self.interpolation = check_interpolation(interpolation)
        short_side_size(1, 1, 1, rounding=rounding)
        self.rounding = rounding

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        size = short_side_size(
            *check_clip(clip),
            self.short_side,
            aspect_ratio=self.aspect_ratio,
            rounding=self.rounding,
        )
        return resize_clip(clip, size, self.interpolation)
