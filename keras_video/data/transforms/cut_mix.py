"""Rectangles of one clip in another, and their labels in proportion."""

import math

import numpy as np

from keras_video.data.transforms.configured import Configured, keras_serializable
from keras_video.data.transforms.mix_up import as_alpha, blend, check_batch


@keras_serializable
class CutMix(Configured):
    """Replaces a rectangle of each clip of a batch by that of another one.

    The rectangle is the same in all frames and all clips of a batch. Labels are weighted by the
    area that each clip has in the result.

    Args:
        alpha: both parameters of the beta distribution from which the area is drawn.

    Call arguments:
        clips: array `(batch, time, height, width, 3)`.
        labels: one-hot or soft labels, floats `(batch, classes)`.
        rng: `numpy.random.Generator`.

    Returns:
        The mixed clips, of the same type, and labels in float32.

    Example:

    >>> clips, labels = CutMix()(clips, labels, np.random.default_rng(0))

    Reference:
        Yun et al., CutMix, 2019 (https://arxiv.org/abs/1905.04899).
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = as_alpha(alpha)

    def __call__(
        self, clips: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        labels = check_batch(clips, labels)
        partners = rng.permutation(len(clips))
        height, width = clips.shape[2:4]
        side = math.sqrt(1 - rng.beta(self.alpha, self.alpha))
        rows = _span(height, side, rng)
        columns = _span(width, side, rng)
        mixed = clips.copy()
        mixed[:, :, rows, columns] = clips[:, :, rows, columns][partners]
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        weight = np.float32(1 - area / (height * width))
        return mixed, blend(labels, partners, weight)


def _span(length: int, part: float, rng: np.random.Generator) -> slice:
    """Around a place anywhere, cut off at the edges."""
    center = int(rng.integers(0, length))
    size = int(length * part)
    start = min(max(center - size // 2, 0), length)
    return slice(start, min(max(center - size // 2 + size, 0), length))
