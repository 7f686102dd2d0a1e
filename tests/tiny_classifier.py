"""A tiny model with presets, for tests of the preset system: two convolutions and a head."""

import pickle
from pathlib import Path

import keras
import numpy as np

from keras_video.presets import Preset, PresetMixin, original_tensors

LABELS = ("left", "right", "up", "down")


def tiny_map(model) -> dict:
    """Where a made-up checkpoint format keeps the weights of a `TinyClassifier`."""
    entries = {
        "head/kernel": ("head.fc.weight", "dense"),
        "head/bias": ("head.fc.bias", "same"),
    }
    for layer in ("conv1", "conv2"):
        entries[f"{layer}/kernel"] = (f"backbone.{layer}.weight", "conv2d")
        entries[f"{layer}/bias"] = (f"backbone.{layer}.bias", "same")
    return entries


@keras.saving.register_keras_serializable(package="tiny")
class TinyClassifier(PresetMixin, keras.Model):
    head_layers = ("head",)
    checkpoint_maps = {"paddlevideo": tiny_map}

    def __init__(self, num_classes=4, num_frames=2, filters=3, dtype=None, name=None):
        self_arguments = {
            "num_classes": num_classes, "num_frames": num_frames, "filters": filters,
            "dtype": dtype,
        }  # fmt: skip
        conv1 = keras.layers.Conv2D(filters, 3, strides=2, dtype=dtype, name="conv1")
        conv2 = keras.layers.Conv2D(filters + 1, 1, dtype=dtype, name="conv2")
        head = keras.layers.Dense(num_classes, dtype=dtype, name="head")
        clips = keras.Input((num_frames, 8, 8, 3))
        frames = keras.ops.reshape(clips, (-1, 8, 8, 3))
        features = keras.ops.mean(conv2(conv1(frames)), axis=(1, 2))
        features = keras.ops.reshape(features, (-1, num_frames, filters + 1))
        super().__init__(clips, head(keras.ops.mean(features, axis=1)), name=name)
        self.arguments = self_arguments
        self.num_classes = num_classes
        self.preprocessor = None
        self.labels = None

    def get_config(self):
        return {**self.arguments, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@keras.saving.register_keras_serializable(package="tiny")
class SmallerClassifier(TinyClassifier):
    """A subclass, to tell classes apart."""


@keras.saving.register_keras_serializable(package="tiny")
class TinyPreprocessor:
    def __init__(self, num_frames=2, size=8):
        self.num_frames, self.size = num_frames, size

    def get_config(self):
        return {"num_frames": self.num_frames, "size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def tiny_preset(name: str = "tiny_motion", **fields) -> Preset:
    """The manifest of a `TinyClassifier` with preprocessor and labels."""
    defaults = {
        "model": "tiny_classifier:TinyClassifier",
        "config": {"num_classes": 4},
        "preprocessor": {"num_frames": 2},
        "preprocessor_class": "tiny_classifier:TinyPreprocessor",
        "labels": LABELS,
        "description": "A tiny test model.",
        "license": "apache-2.0",
        "metrics": {"top1": 50.0},
    }
    return Preset(name=name, **{**defaults, **fields})


def trained(num_classes: int = 4, **arguments) -> TinyClassifier:
    """A `TinyClassifier` whose every variable has its own random values."""
    model = TinyClassifier(num_classes=num_classes, **arguments)
    randomize(model)
    model.preprocessor = TinyPreprocessor(num_frames=arguments.get("num_frames", 2))
    model.labels = list(LABELS[:num_classes])
    return model


def randomize(model, seed: int = 0) -> None:
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(generator.normal(size=variable.shape).astype("float32"))


def answers(model) -> np.ndarray:
    """The model's output on fixed clips."""
    generator = np.random.default_rng(1)
    clips = generator.uniform(0, 1, (3, model.arguments["num_frames"], 8, 8, 3))
    outputs = keras.ops.cast(keras.ops.stop_gradient(model(clips.astype("float32"))), "float32")
    return np.array(outputs.tolist()) if hasattr(outputs, "tolist") else np.asarray(outputs)


def checkpoint_of(model) -> dict[str, np.ndarray]:
    """The tensors of a model in the made-up format's names and layouts."""
    return original_tensors(model, "paddlevideo")


def write_pdparams(path: Path, tensors: dict, protocol: int = 4) -> Path:
    """Writes tensors as `paddle.save` does."""
    state = {**tensors, "StructuredToParameterName@@": {name: name for name in tensors}}
    path.write_bytes(pickle.dumps(state, protocol=protocol))
    return path
