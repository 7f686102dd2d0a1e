"""Several transforms as one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform


@keras_serializable
class Compose(Transform):
    """Applies transforms one after the other.

    Args:
        transforms: each called as `transform(clip, rng)`: those of this package, or functions of
            yours; objects that Keras can serialise, where the whole is to be saved.

    Example:

    >>> augment = Compose([MultiScaleCrop(224), RandomFlip()])
    >>> augment(clip, np.random.default_rng(0)).shape
    (8, 224, 224, 3)
    """

    def __init__(self, transforms: Sequence[Callable[..., np.ndarray]]):
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform):
                raise ValueError(
                    "Transforms are called as `transform(clip, rng)`. "
                    f"Received: transforms with {transform!r}"
                )

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        for transform in self.transforms:
            clip = transform(clip, rng)
        return clip

    def call_with_label(
        self, clip: np.ndarray, label: Any, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, Any]:
        for transform in self.transforms:
            if hasattr(transform, "call_with_label"):
                clip, label = transform.call_with_label(clip, label, rng)
            else:
                clip = transform(clip, rng)
        return clip, label

    def get_config(self) -> dict:
        import keras

        config = super().get_config()
        config["transforms"] = [
            keras.saving.serialize_keras_object(transform) for transform in self.transforms
        ]
        return config

    @classmethod
    def from_config(cls, config: dict) -> "Compose":
        import keras

        return cls([keras.saving.deserialize_keras_object(item) for item in config["transforms"]])
