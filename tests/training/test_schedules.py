"""Learning rates equal the reference's at every step of its published trainings."""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.training import Piecewise, WarmupCosine

OPS = pathlib.Path(__file__).parent.parent / "golden" / "ops"
GOLDEN = dict(np.load(OPS / "lr_schedules.npz"))
FACTS = json.loads((OPS / "lr_schedules.json").read_text())


def schedule_of(name):
    """The schedule of a published training, from the reference's own settings."""
    facts, steps = FACTS[name]["cfg"], FACTS[name]["iters_per_epoch"]
    warmup = {
        "warmup_epochs": facts.get("warmup_epochs", 0),
        "warmup_start": facts.get("warmup_start_lr", 0.0),
    }
    match facts["name"]:
        case "CustomWarmupCosineDecay":
            return WarmupCosine(facts["cosine_base_lr"], facts["max_epoch"], steps, **warmup)
        case "CustomWarmupPiecewiseDecay":
            values = [facts["step_base_lr"] * factor for factor in facts["lrs"]]
            boundaries = facts["steps"][1:]
            return Piecewise(boundaries, values[: len(boundaries) + 1], steps, **warmup)
        case "PiecewiseDecay":
            return Piecewise(facts["boundaries"], facts["values"], steps)
        case "MultiStepDecay":
            values = [facts["learning_rate"] * facts["gamma"] ** i for i in range(3)]
            return Piecewise(facts["milestones"], values, steps)
        case "CustomPiecewiseDecay":
            return Piecewise([b / steps for b in facts["boundaries"]], facts["values"], steps)


@pytest.mark.parametrize("name", GOLDEN)
def test_rates_equal_the_reference(name):
    expected = GOLDEN[name]
    actual = np.asarray(schedule_of(name)(np.arange(len(expected))))
    assert actual.dtype == "float32"
    differing = np.flatnonzero(~np.isclose(actual, expected, rtol=2e-6, atol=0))
    # The reference adds up fractions of epochs, and so reaches its boundaries a step late.
    assert differing.tolist() == ([940, 1540, 1960] if name == "slowfast_multigrid" else [])


@pytest.mark.parametrize("name", ["tsm", "pptsm_uniform"])
def test_single_steps_of_every_kind(name):
    schedule = schedule_of(name)
    for step in (0, 3, 250):
        for kind in (int, np.int64, tf.constant, lambda s: tf.Variable(s, dtype="int64"), float):
            np.testing.assert_allclose(schedule(kind(step)), GOLDEN[name][step], rtol=2e-6)


def test_ten_million_steps_are_exact():
    steps_per_epoch = 100_000
    cosine = WarmupCosine(0.1, 100, steps_per_epoch, warmup_epochs=1)
    piecewise = Piecewise([99], [1.0, 0.1], steps_per_epoch)
    for step in (99_999, 4_999_999, 9_899_999, 9_900_000, 9_999_990, 9_999_999):
        epoch = np.longdouble(step) / steps_per_epoch
        exact = 0.05 * (1 + np.cos(np.pi * epoch / 100))
        if step < steps_per_epoch:
            exact = 0.05 * (1 + np.cos(np.pi / 100)) * epoch
        # Of two neighbouring float32 numbers at most the next.
        np.testing.assert_allclose(cosine(step), np.float64(exact), rtol=1e-6)
        assert float(piecewise(step)) == np.float32(1.0 if epoch < 99 else 0.1)
    assert cosine(9_999_999) < cosine(9_999_990)


def test_after_the_last_epoch_the_rate_is_zero():
    schedule = WarmupCosine(0.1, 2, 10)
    assert float(schedule(0)) == pytest.approx(0.1)
    assert float(schedule(20)) == float(schedule(1000)) == 0.0


@pytest.mark.parametrize(
    "schedule",
    [WarmupCosine(0.1, 5, 10, 1, 0.01), Piecewise([1, 2.5], [3.0, 2.0, 1.0], 10, 1, 0.5)],
)
def test_config_round_trip(schedule):
    schedules = keras.optimizers.schedules
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    copy = schedules.deserialize(config)
    steps = np.arange(60)
    np.testing.assert_array_equal(copy(steps), schedule(steps))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: WarmupCosine(0.1, 5, 0), "steps_per_epoch=0"),
        (lambda: WarmupCosine(0.1, 5, 10, 5), "num_epochs=5, warmup_epochs=5"),
        (lambda: WarmupCosine(-0.1, 5, 10), "base=-0.1"),
        (lambda: WarmupCosine(0.1, 5, 10, -1), "warmup_epochs=-1"),
        (lambda: Piecewise([1], [0.1], 10), "one entry more"),
        (lambda: Piecewise([2, 1], [1, 1, 1], 10), r"growing.*\[2, 1\]"),
        (lambda: Piecewise([1], [1, -1], 10), "must not be negative"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
