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

    def shape(self, size: int) -> str:
        """What one sample is, for titles."""
        return f"{self.num_frames} x {size} x {size}"

    def labels(self, batch: int) -> np.ndarray:
        """Random class numbers of Kinetics-400."""
        return np.random.default_rng(0).integers(0, 400, batch)

    def loss(self):
        """Keras' loss of these labels."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class BenchmarkedTagger(BenchmarkedModel):
    """A model that takes features of frames and sound, all of their steps real."""

    def clips(self, batch: int, size: int) -> dict[str, np.ndarray]:
        """Random codes `(batch, num_frames, channels)` and their masks."""
        generator, shape = np.random.default_rng(0), (batch, self.num_frames)
        inputs = {}
        for name, channels in {"rgb": 1024, "audio": 128}.items():
            inputs[name] = generator.integers(0, 256, (*shape, channels), "uint8")
            inputs[f"{name}_mask"] = np.ones(shape, bool)
        return inputs

    def shape(self, size: int) -> str:
        return f"{self.num_frames} steps"

    def labels(self, batch: int) -> np.ndarray:
        """Random labels of YouTube-8M, some of each sample."""
        return (np.random.default_rng(0).random((batch, 3862)) < 1e-3).astype("float32")

    def loss(self):
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)


class BenchmarkedProposer(BenchmarkedModel):
    """A model that takes features of whole videos, and proposes segments."""

    def clips(self, batch: int, size: int) -> dict[str, np.ndarray]:
        """Random features `(batch, num_frames, 400)`."""
        shape = (batch, self.num_frames, 400)
        return {"features": np.random.default_rng(0).normal(size=shape).astype("float32")}

    def shape(self, size: int) -> str:
        return f"{self.num_frames} steps"

    def labels(self, batch: int) -> dict[str, np.ndarray]:
        """Those of two random actions a video."""
        from keras_video.localization import make_bmn_labels

        rng = np.random.default_rng(0)
        labels = [
            make_bmn_labels(np.sort(rng.random((2, 2)), axis=1), self.num_frames, rng=rng)
            for _ in range(batch)
        ]
        return {name: np.stack([label[name] for label in labels]) for name in labels[0]}

    def loss(self):
        from keras_video.losses import BoundaryLoss, SegmentConfidenceLoss

        boundaries = {"starts": BoundaryLoss(), "ends": BoundaryLoss()}
        return {**boundaries, "confidence": SegmentConfidenceLoss()}


MODELS = {
    "tsn": BenchmarkedModel("TSN"),
    "tsm": BenchmarkedModel("TSM"),
    "pp_tsn": BenchmarkedModel("PPTSN"),
    "pp_tsm": BenchmarkedModel("PPTSM"),
    "slow_only": BenchmarkedModel("SlowOnly"),
    "slowfast": BenchmarkedModel("SlowFast", num_frames=32),
    "timesformer": BenchmarkedModel("TimeSformer", any_size=False),
    "attention_lstm": BenchmarkedTagger("AttentionLSTM", num_frames=300),
    "bmn": BenchmarkedProposer("BMN", num_frames=100),
}
