"""The models that `tools/benchmark.py` measures."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BenchmarkedModel:
    """A model as its class in `keras_video.models` builds it without arguments.

    Args:
        class_name: of it.
        num_frames: frames of a clip.
        any_size: whether one model takes frames of any size; otherwise it is built for one.
    """

    class_name: str
    num_frames: int = 8
    any_size: bool = True

    def build(self, size: int, dtype: str | None):
        """The model in Keras, with random weights."""
        import keras_video

        arguments = {} if self.any_size else {"image_size": size}
        return getattr(keras_video.models, self.class_name)(dtype=dtype, **arguments)

    def clips(self, batch: int, size: int) -> np.ndarray:
        """Random `uint8` clips `(batch, num_frames, size, size, 3)`."""
        shape = (batch, self.num_frames, size, size, 3)
        return np.random.default_rng(0).integers(0, 256, shape, "uint8")


MODELS = {
    "tsn": BenchmarkedModel("TSN"),
    "tsm": BenchmarkedModel("TSM"),
    "pp_tsn": BenchmarkedModel("PPTSN"),
    "pp_tsm": BenchmarkedModel("PPTSM"),
    "slow_only": BenchmarkedModel("SlowOnly"),
    "slowfast": BenchmarkedModel("SlowFast", num_frames=32),
    "timesformer": BenchmarkedModel("TimeSformer", any_size=False),
}
