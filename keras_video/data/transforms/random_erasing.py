"""A rectangle that is painted over."""

import math

import numpy as np

from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import (
    Transform,
    as_fraction,
    as_range,
    check_clip,
    check_rng,
)

_ATTEMPTS = 10


@keras_serializable
class RandomErasing(Transform):
    """Paints over a rectangle, the same in all frames.

    Args:
        probability: that anything is erased from a clip.
        area: least and greatest area of the rectangle, as a part of the frame.
        ratio: least and greatest height over width of the rectangle.
        fill: a grey level, an RGB colour, or `"noise"`: random pixels, the same in all frames.

    Returns:
        A new clip, or the given one where nothing is erased.

    Example:

    >>> erased = RandomErasing(fill="noise")(clip, np.random.default_rng(0))

    Reference:
        Zhong et al., Random Erasing Data Augmentation, 2017 (https://arxiv.org/abs/1708.04896).
    """

    def __init__(
        self,
        probability: float = 0.25,
        area: tuple[float, float] = (0.02, 1 / 3),
        ratio: tuple[float, float] = (0.3, 10 / 3),
        fill: float | tuple[float, float, float] | str = "noise",
    ):
        self.probability = as_fraction("probability", probability)
        self.area = as_range("area", area, 0, 1)
        self.ratio = as_range("ratio", ratio, 1e-3, 1e3)
        self.fill = tuple(fill) if isinstance(fill, (tuple, list)) else fill
        levels = np.atleast_1d(0 if fill == "noise" else fill)
        if levels.dtype.kind not in "iuf" or levels.shape not in ((1,), (3,)):
            raise ValueError(
                f"`fill` must be 'noise', a grey level or an RGB colour. Received: fill={fill!r}"
            )
        if levels.min() < 0 or levels.max() > 255:
            raise ValueError(f"`fill` goes from 0 to 255. Received: fill={fill!r}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        height, width = check_clip(clip)
        rng = check_rng(self, rng)
        if rng.random() >= self.probability:
            return clip
        box = self._draw(height, width, rng)
        if box is None:
            return clip
        rows, columns = box
        erased = clip.copy()
        fill = self.fill
        if fill == "noise":
            shape = (rows.stop - rows.start, columns.stop - columns.start, 3)
            fill = rng.integers(0, 256, size=shape, dtype=np.uint8)
        erased[:, rows, columns] = fill
        return erased

    def _draw(self, height: int, width: int, rng) -> tuple[slice, slice] | None:
        low, high = (math.log(ratio) for ratio in self.ratio)
        for _ in range(_ATTEMPTS):
            area = height * width * rng.uniform(*self.area)
            ratio = math.exp(rng.uniform(low, high))
            rows = max(round(math.sqrt(area * ratio)), 1)
            columns = max(round(math.sqrt(area / ratio)), 1)
            if rows <= height and columns <= width:
                top = int(rng.integers(0, height - rows + 1))
                left = int(rng.integers(0, width - columns + 1))
                return slice(top, top + rows), slice(left, left + columns)
        return None
