"""Multigrid training with `Trainer`: every shape, few traces, ordinary batch normalisation."""

import collections
import itertools

import keras
import numpy as np
import pytest
from training.run_trainer import CLASSES, clips

from keras_video._compat import layers_in_order
from keras_video.data import ArrayDataset
from keras_video.data.transforms import RandomCrop
from keras_video.layers import BatchNorm, ConvNorm3D
from keras_video.models import VideoClassifier
from keras_video.training import (
    SGD,
    CheckpointStore,
    ClassificationEvaluator,
    Multigrid,
    Piecewise,
    Trainer,
)

SHAPES = Multigrid(
    num_frames=4, size=12, num_epochs=8, boundaries=(4, 6), epoch_factor=1.0,
    long_cycle=((0.5, 0.7), (1.0, 1.0)), short_cycle=(0.5,),
)  # fmt: skip
CLIPS = clips(64, shape=(4, 14, 14, 3))


@keras.saving.register_keras_serializable(package="tests")
class Network(VideoClassifier):
    """Takes clips of any size; no two layers alike."""

    def __init__(self, num_classes=CLASSES, num_frames=None, dtype=None, name=None):
        inputs = keras.Input((num_frames, None, None, 3), name="clips")
        x = keras.layers.Rescaling(1 / 64, -2, dtype=dtype)(inputs)
        x = ConvNorm3D(4, (1, 3, 3), (1, 2, 2), "relu", dtype=dtype, name="space")(x)
        x = ConvNorm3D(6, (3, 1, 1), activation="relu", dtype=dtype, name="time")(x)
        x = keras.ops.mean(keras.ops.cast(x, "float32"), axis=(1, 2, 3))
        x = keras.layers.Dropout(0.2, dtype="float32", seed=3)(x)
        logits = keras.layers.Dense(num_classes, dtype="float32", name="classifier")(x)
        super().__init__(inputs, logits, dtype=dtype, name=name)
        self.num_classes, self.num_frames = num_classes, num_frames

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_frames": self.num_frames,
        }


class Counted(Trainer):
    """Counts in what shapes and sub-batches training was traced, and ran."""

    def __init__(self, *args, stop_after=None, **kwargs):
        self.traces, self.steps = collections.Counter(), collections.Counter()
        self.stop_after = stop_after
        super().__init__(*args, **kwargs)

    def _train_on(self, batch):
        norms = [layer for layer in layers_in_order(self.model) if isinstance(layer, BatchNorm)]
        (splits,) = {norm.num_splits for norm in norms}
        self.traces[(*batch[0].shape[:3], splits)] += 1
        return super()._train_on(batch)

    def _with_signal(self, batch):
        self.steps[(*batch[0].shape[:3], self.data.num_splits(self._record.epoch))] += 1
        if self.stop_after == sum(self.steps.values()):
            self._termination.requested = True
        return super()._with_signal(batch)


def make(workdir, dtype=None, **arguments):
    keras.utils.set_random_seed(1)
    data = ArrayDataset(
        *CLIPS, batch_size=2, training=True, transforms=[RandomCrop(12)], shapes=SHAPES
    )
    validation = ArrayDataset(clips(12, 1, (4, 12, 12, 3))[0], CLIPS[1][:12], batch_size=4)
    model = Network(dtype=dtype)
    model.compile(
        SGD(0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {
        "num_epochs": SHAPES.num_epochs,
        "evaluator": ClassificationEvaluator(model, validation),
        "evaluate_every": 4,
        "log_every": 50,
        "precise_batch_norm": 3,
    }
    return Counted(model, data, workdir=workdir, **{**options, **arguments})


def expected_shapes():
    return {
        (2 * shape.batch_factor, shape.num_frames, shape.size, shape.num_splits)
        for shape, _ in SHAPES.visits()
    }


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("multigrid")
    trainer = make(workdir)
    return workdir, trainer, trainer.run()


def last_arrays(workdir):
    return CheckpointStore(workdir / "checkpoints", write=False).latest().arrays()


def test_every_shape_is_visited_and_traced_once(complete):
    _, trainer, result = complete
    assert set(trainer.steps) == expected_shapes() and len(expected_shapes()) == 4
    assert trainer.traces == dict.fromkeys(expected_shapes(), 1)
    steps = sum(trainer.data.batches_in(epoch) for epoch in range(SHAPES.num_epochs))
    assert result["step"] == steps == sum(trainer.steps.values())
    assert result["finished"] and result["epoch"] == SHAPES.num_epochs == 8


def test_it_ends_in_ordinary_batch_normalisation_and_a_plain_preset(complete):
    workdir, trainer, _ = complete
    for layer in layers_in_order(trainer.model):
        assert getattr(layer, "num_splits", 1) == 1
    model = Network.from_preset(workdir / "preset", num_frames=4)
    assert model.input_shape == (None, 4, None, None, 3)
    arrays = CheckpointStore(workdir / "checkpoints").best().arrays()
    for weight in model.weights:
        np.testing.assert_allclose(weight, arrays[f"model/{weight.path}"], rtol=1e-6)


def test_a_run_that_was_stopped_in_mid_epoch_goes_on_through_all_phases(complete, tmp_path):
    assert not make(tmp_path, stop_after=18).run()["finished"]
    assert make(tmp_path).run()["step"] == complete[2]["step"]
    expected = last_arrays(complete[0])
    for name, array in last_arrays(tmp_path).items():
        np.testing.assert_allclose(array, expected[name], atol=1e-6, err_msg=name)


def test_statistics_are_recomputed_from_batches_of_the_base_shape(tmp_path, monkeypatch):
    seen = []

    def batch(self, index, epoch=None):
        shape = self._order.shape(epoch, index)
        seen.append((epoch, shape.num_frames, shape.size))
        return original(self, index, epoch)

    original = ArrayDataset.batch
    monkeypatch.setattr(ArrayDataset, "batch", batch)
    make(tmp_path, precise_batch_norm_every=3).run()
    phases = [SHAPES.phase(epoch) for epoch in (2, 5, 7)]
    assert [key for key, _ in itertools.groupby(seen)] == [
        (epoch, phase.num_frames, phase.size)
        for epoch, phase in zip((2, 5, 7), phases, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, num_shapes", [({"xla": True}, 2), ({"accumulate": 2, "dtype": "mixed_bfloat16"}, 4)]
)
def test_it_works_in_every_mode_of_the_step(tmp_path, options, num_shapes):
    epochs = SHAPES.phases[num_shapes // 2 - 1].end
    trainer = make(tmp_path, evaluator=None, precise_batch_norm=0, num_epochs=epochs, **options)
    assert trainer.run()["finished"]
    assert set(trainer.traces.values()) == {1} and len(trainer.traces) == num_shapes
    assert np.isfinite(np.concatenate([np.ravel(w) for w in trainer.model.weights])).all()


def test_the_rate_follows_the_epochs_whatever_their_lengths():
    data = ArrayDataset(*CLIPS, batch_size=2, training=True, shapes=SHAPES)
    lengths = [data.batches_in(epoch) for epoch in range(SHAPES.num_epochs)]
    assert len(set(lengths)) == 2
    starts = list(itertools.accumulate(lengths, initial=0))
    rates = [0.1 * rate for rate in SHAPES.rates]
    schedule = Piecewise.over_epochs(
        SHAPES.boundaries, rates, data.batches_in, warmup_epochs=1.5, warmup_start=0.1
    )
    for epoch in range(2, SHAPES.num_epochs):
        for step in (starts[epoch], starts[epoch + 1] - 1):
            index = sum(boundary <= epoch for boundary in SHAPES.boundaries)
            assert float(schedule(step)) == pytest.approx(rates[index])
    end = starts[1] + round(lengths[1] / 2)
    warmup = [float(schedule(step)) for step in range(end + 1)]
    np.testing.assert_allclose(warmup, np.linspace(0.1, rates[0], end + 1), rtol=1e-5)
