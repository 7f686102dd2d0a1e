"""What every model must do, `keras_video.testing.ModelContract`. A new model adds one class."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_video
from keras_video.localization import make_bmn_labels
from keras_video.models import (
    BMN,
    PPTSM,
    PPTSN,
    TSM,
    TSN,
    ActionLSTM,
    AttentionLSTM,
    SlowFast,
    SlowOnly,
    TimeSformer,
    VGGish,
)
from keras_video.presets import model_names
from keras_video.presets.import_string import import_object
from keras_video.testing import ModelContract, draw_clips
from keras_video.testing.model_contract import predict

TESTS = pathlib.Path(__file__).parent.parent


class ResNetContract(ModelContract):
    arguments = {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8}


class TestTSN(ResNetContract):
    model_class = TSN


class TestTSM(ResNetContract):
    model_class = TSM


class TestPPTSN(ResNetContract):
    model_class = PPTSN


class TestPPTSM(ResNetContract):
    model_class = PPTSM


class SlowFastContract(ModelContract):
    arguments = {"num_classes": 5, "num_frames": 8, "depth": 14, "width": 8}

    @classmethod
    def other_inputs(cls):
        """Windows of the head: none, and two by three."""
        return [*super().other_inputs(), draw_clips(1, 8, 226, 257)]


class TestSlowFast(SlowFastContract):
    model_class = SlowFast


class TestSlowOnly(SlowFastContract):
    model_class = SlowOnly


class TestTimeSformer(ModelContract):
    model_class = TimeSformer
    arguments = {
        "num_classes": 5,
        "num_frames": 3,
        "image_size": 48,
        "hidden_dim": 32,
        "num_layers": 2,
        "num_heads": 4,
    }
    train_arguments = {"drop_path": 0.0}


class TestAttentionLSTM(ModelContract):
    """Codes of two modalities; the first sample has fewer steps than the others."""

    model_class = AttentionLSTM
    arguments = {
        "num_classes": 5,
        "features": {"rgb": 6, "audio": 4},
        "embedding_dim": 8,
        "lstm_dim": 12,
        "hidden_dims": (16, 8),
    }
    learning_rate = 3.0

    @classmethod
    def inputs(cls, batch_size, steps=(7, 7)):
        inputs = {}
        for (name, channels), time in zip(cls.model.features.items(), steps, strict=True):
            codes = [
                np.random.default_rng(seed).integers(0, 256, (time, channels), "uint8")
                for seed in range(batch_size)
            ]
            lengths = time - 2 * (np.arange(batch_size) == 0)
            inputs[name] = np.array(codes)
            inputs[f"{name}_mask"] = np.arange(time) < lengths[:, None]
        return inputs

    @classmethod
    def other_inputs(cls):
        return [cls.inputs(1, (4, 9)), cls.inputs(3, (3, 3))]

    @classmethod
    def targets(cls, batch_size):
        """Two labels, and a third one of every other sample."""
        labels = np.tile(np.array([0, 1, 0, 1, 0], "float32"), (batch_size, 1))
        labels[::2, 4] = 1
        return labels

    @classmethod
    def loss(cls):
        return keras.losses.BinaryCrossentropy(from_logits=True)


class TestActionLSTM(TestAttentionLSTM):
    """Vectors of two modalities; classes, and how well the segment fits."""

    model_class = ActionLSTM
    learning_rate = 0.3

    @classmethod
    def targets(cls, batch_size):
        classes = np.arange(1, 2 * batch_size, 2) % cls.model.num_classes
        return {"classes": classes, "iou": classes[:, None] % 2 * 0.8}

    @classmethod
    def loss(cls):
        classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {"classes": classes, "iou": "mean_squared_error"}


class TestBMN(ModelContract):
    """An action of which each sample has its own place, told by a channel."""

    model_class = BMN
    arguments = {
        "feature_dim": 8,
        "num_frames": 10,
        "hidden_dim": 16,
        "proposal_dim": 8,
        "segment_dim": 16,
        "map_dim": 8,
        "num_samples": 4,
    }
    learning_rate = 3.0

    @classmethod
    def inputs(cls, batch_size):
        videos = [np.random.default_rng(seed).normal(size=(10, 8)) for seed in range(batch_size)]
        return {"features": np.array(videos, "float32")}

    @classmethod
    def other_inputs(cls):
        return [cls.inputs(3)]

    @classmethod
    def targets(cls, batch_size):
        """Of several samples by mean squares: our losses are of a whole batch."""
        labels = [
            make_bmn_labels([(0.1 * number, 0.1 * number + 0.4)], 10)
            for number in range(batch_size)
        ]
        labels = {name: np.array([label[name] for label in labels]) for name in labels[0]}
        overlap = np.maximum(labels["confidence"][..., 0], 0)
        labels["confidence"] = np.stack([overlap, overlap > 0.5], axis=-1)
        return labels

    @classmethod
    def loss(cls):
        return dict.fromkeys(("starts", "ends", "confidence"), "mean_squared_error")


class TestVGGish(ModelContract):
    """Seconds of sound, each with a band of its own that is loud."""

    model_class = VGGish
    arguments = {
        "num_classes": 5,
        "filters": (4, 8, 8, 8),
        "hidden_dims": (32,),
        "embedding_dim": 32,
    }
    learning_rate = 0.06

    @classmethod
    def inputs(cls, batch_size):
        seconds = [np.random.default_rng(seed).normal(size=(50, 64)) for seed in range(batch_size)]
        for number, second in enumerate(seconds):
            second[:, 20 * number : 20 * number + 10] += 4
        return np.array(seconds, "float32")

    @classmethod
    def other_inputs(cls):
        return [cls.inputs(3)]


def with_peepholes():
    """The outputs of the form that no other model has."""
    model = TestAttentionLSTM.build(peepholes=True)
    return predict(model, TestAttentionLSTM.inputs(2))


CONTRACTS = [
    TestTSN,
    TestTSM,
    TestPPTSN,
    TestPPTSM,
    TestSlowFast,
    TestSlowOnly,
    TestTimeSformer,
    TestAttentionLSTM,
    TestActionLSTM,
    TestBMN,
    TestVGGish,
]

# Bases of models, parts of them, and what describes them, have tests of their own.
NO_CONTRACT = {
    "FunctionalModel",
    "ModelSummary",
    "ResNetBackbone",
    "SlowFastBackbone",
    "SlowOnlyBackbone",
    "ViTBackbone",
    "VideoClassifier",
    "summarize",
}


def test_every_model_is_under_contract_and_has_a_name():
    public = set(keras_video.models.__all__) - NO_CONTRACT
    assert {contract.model_class.__name__ for contract in CONTRACTS} == public
    named = {import_object(string) for string in model_names._models.values()}
    assert {contract.model_class for contract in CONTRACTS} <= named


@pytest.mark.slow
def test_other_backends_agree(tmp_path):
    """Each in a process of its own, at the same time."""
    paths = {backend: tmp_path / f"{backend}.npz" for backend in ("jax", "torch")}
    script = TESTS / "models" / "run_on_backend.py"
    # For JAX: it would compile for minutes what runs once.
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    processes = [
        subprocess.Popen([sys.executable, script, path], env=environment | {"KERAS_BACKEND": name})
        for name, path in paths.items()
    ]
    try:
        assert [process.wait(timeout=600) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    there = {backend: np.load(path) for backend, path in paths.items()}
    assert [str(outputs["backend"]) for outputs in there.values()] == list(there)
    expected = {}
    for contract in CONTRACTS:
        contract.setup_class()
        name = contract.model_class.__name__
        for index, output in enumerate(keras.tree.flatten(contract.outputs)):
            expected[f"{name}:{index}"] = output
        if f"{name}:features" in there["torch"]:
            features = contract.model.feature_model()(contract.inputs(2), training=False)
            expected[f"{name}:features"] = features
        assert all(np.isfinite(outputs[f"{name}:loss"]) for outputs in there.values())
    expected["peepholes"] = with_peepholes()
    for backend, outputs in there.items():
        for name, values in expected.items():
            message = f"{name} of {backend}"
            np.testing.assert_allclose(outputs[name], values, 1e-5, 1e-5, err_msg=message)
