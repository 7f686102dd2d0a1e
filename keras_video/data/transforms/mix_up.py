"""Blends of two clips and of their labels."""

import numpy as np

from keras_video.data.transforms.configured import Configured, keras_serializable


@keras_serializable
class MixUp(Configured):
    """Blends each clip of a batch with another one, and their labels alike.

    One weight, from the beta distribution, and one order of partners are drawn for a batch.

    Args:
        alpha: both parameters of the beta distribution. Small ones mostly give weights near 0
            and 1.

    Call arguments:
        clips: array `(batch, time, height, width, 3)` of uint8 or float32.
        labels: one-hot or soft labels, floats `(batch, classes)`.
        rng: `numpy.random.Generator`.

    Returns:
        The blended clips and labels. uint8 clips stay uint8, rounded; labels are float32.

    Example:

    >>> clips, labels = MixUp(0.2)(clips, labels, np.random.default_rng(0))

    Reference:
        Zhang et al., mixup: Beyond Empirical Risk Minimization, 2017
        (https://arxiv.org/abs/1710.09412).
    """

    def __init__(self, alpha: float = 0.2):
        self.alpha = as_alpha(alpha)

    def __call__(
        self, clips: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        labels = check_batch(clips, labels)
        partners = rng.permutation(len(clips))
        weight = np.float32(rng.beta(self.alpha, self.alpha))
        return blend(clips, partners, weight), blend(labels, partners, weight)


def as_alpha(alpha: float) -> float:
    if not isinstance(alpha, (int, float)) or not alpha > 0:
        raise ValueError(f"`alpha` must be a positive number. Received: alpha={alpha!r}")
    return alpha


def check_batch(clips: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The labels as float32, if they belong to the clips."""
    labels = np.asarray(labels)
    if clips.ndim != 5 or labels.ndim != 2 or len(labels) != len(clips):
        raise ValueError(
            "Clips (batch, time, height, width, 3) are mixed with one-hot labels (batch, classes). "
            f"Received: clips of shape {clips.shape}, labels of shape {labels.shape}"
        )
    return labels.astype(np.float32)


def blend(values: np.ndarray, partners: np.ndarray, weight: np.float32) -> np.ndarray:
    """`weight` times each plus the rest times its partner, one at a time to keep memory low."""
    mixed = np.empty_like(values)
    for index, partner in enumerate(partners):
        value = weight * values[index].astype(np.float32)
        value += (1 - weight) * values[partner].astype(np.float32)
        mixed[index] = np.rint(value) if values.dtype == np.uint8 else value
    return mixed
