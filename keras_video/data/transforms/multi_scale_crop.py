"""Crops of four scales at fixed places (TSN)."""

import numpy as np

from keras_video.data.transforms.clip_resizing import check_interpolation, resize_clip
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_size, check_clip, check_rng

# In quarters of the margin: corners and center, then the middles of the sides and of the quadrants.
_FIVE = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2)]
_EIGHT_MORE = [(0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3)]


@keras_serializable
class MultiScaleCrop(Transform):
    """A crop of random scale, shape and place, resized to a square (TSN, TSM, PP-TSM).

    Height and width of the crop are two of `scales` times the frame's shorter side, at most one
    step apart. Its place is one of 13: corners, center, middles of the sides and of the quadrants.

    Args:
        size: height and width of the result in pixels.
        scales: of the crop, largest first.
        more_places: False leaves the corners and the center.
        interpolation: `"bilinear"` (Pillow's) or `"opencv_linear"`, see `keras_video.data.resize`.

    Returns:
        Array `(time, size, size, 3)`.

    Example:

    >>> MultiScaleCrop(224)(clip, np.random.default_rng(0)).shape
    (8, 224, 224, 3)

    Reference:
        Wang et al., Temporal Segment Networks, 2016 (https://arxiv.org/abs/1608.00859).
    """

    def __init__(
        self,
        size: int,
        scales: tuple[float, ...] = (1.0, 0.875, 0.75, 0.66),
        more_places: bool = True,
        interpolation: str = "bilinear",
    ):
        self.size = as_size("size", size)
        self.scales = tuple(scales)
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise ValueError(
                f"`scales` must be numbers above 0, up to 1. Received: scales={scales!r}"
            )
        self.more_places = bool(more_places)
        self.interpolation = check_interpolation(interpolation)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        height, width = check_clip(clip)
        top, left, crop_height, crop_width = self._draw(height, width, check_rng(self, rng))
        crop = clip[:, top : top + crop_height, left : left + crop_width]
        return resize_clip(crop, (self.size, self.size), self.interpolation)

    def _draw(self, height: int, width: int, rng) -> tuple[int, int, int, int]:
        sides = [max(int(min(height, width) * scale), 1) for scale in self.scales]
        # Sides within 2 pixels of the result are made equal to it: those crops need no resizing.
        sides = [
            self.size if abs(side - self.size) < 3 and self.size <= min(height, width) else side
            for side in sides
        ]
        steps = range(len(sides))
        shapes = [(sides[i], sides[j]) for i in steps for j in steps if abs(i - j) <= 1]
        crop_height, crop_width = shapes[rng.integers(0, len(shapes))]
        places = _FIVE + _EIGHT_MORE if self.more_places else _FIVE
        right, down = places[rng.integers(0, len(places))]
        top = round(down * (height - crop_height) / 4)
        left = round(right * (width - crop_width) / 4)
        return top, left, crop_height, crop_width
