"""What every transform of a clip has in common."""

import abc
from typing import Any

import numpy as np

from keras_video.data.transforms.configured import Configured


class Transform(Configured, abc.ABC):
    """A change of one clip, the same for all of its frames.

    Random choices are made once for a clip, and only from the generator given, so a clip and a
    seed always give the same pixels.

    Call arguments:
        clip: array `(time, height, width, 3)` of uint8 or float32, RGB from 0 to 255. It is not
            changed.
        rng: `numpy.random.Generator`; deterministic transforms need none.

    Returns:
        The new clip, perhaps a view of the old one; the same type of numbers unless stated.
    """

    @abc.abstractmethod
    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Transforms one clip."""

    def call_with_label(
        self, clip: np.ndarray, label: Any, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, Any]:
        """Transforms a clip and the label that it has afterwards.

        Only mirroring can change a label, see `RandomFlip`.
        """
        return self(clip, rng), label


def check_clip(clip: np.ndarray) -> tuple[int, int]:
    """The `(height, width)` of what must be a clip."""
    if clip.ndim != 4 or clip.shape[-1] != 3 or clip.dtype not in (np.uint8, np.float32):
        raise ValueError(
            "A clip is an array (time, height, width, 3) of uint8 or float32. "
            f"Received: shape={clip.shape}, dtype={clip.dtype}"
        )
    return clip.shape[1], clip.shape[2]


def check_rng(transform: Transform, rng: np.random.Generator | None) -> np.random.Generator:
    """The generator that a random transform cannot do without."""
    if rng is None:
        raise ValueError(
            f"{type(transform).__name__} is random: call it with a generator, "
            "`transform(clip, numpy.random.default_rng(seed))`. Received: rng=None"
        )
    return rng


def as_range(name: str, value, low: float, high: float) -> tuple[float, float]:
    """Two numbers in order, within limits."""
    try:
        first, last = (float(number) for number in value)
    except (TypeError, ValueError):
        first, last = np.nan, np.nan
    if not low <= first <= last <= high:
        raise ValueError(
            f"`{name}` must be two numbers in order, from {low:g} to {high:g}. "
            f"Received: {name}={value!r}"
        )
    return first, last


def as_fraction(name: str, value) -> float:
    """A number from 0 to 1."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be from 0 to 1. Received: {name}={value!r}")
    return value


def as_size(name: str, value) -> int:
    """A number of pixels."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return int(value)
