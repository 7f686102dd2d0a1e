"""The Keras metrics: exact in `evaluate` and `fit`, whatever the batches, replicas and backends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from metrics.run_on_backend import evaluate, expected, make_model
from metrics.tagged import videos

from keras_video.metrics import (
    GlobalAveragePrecision,
    HitAtOne,
    MeanAveragePrecision,
    PrecisionAtEqualRecall,
    average_precision_per_class,
)

TESTS = Path(__file__).parents[1]
ALL = (
    HitAtOne,
    PrecisionAtEqualRecall,
    GlobalAveragePrecision,
    lambda **options: MeanAveragePrecision(12, **options),
)


def test_evaluate_is_exact_whatever_the_batches():
    labels, scores = videos(levels=9)
    model = make_model(scores)
    for batch_size in (40, 7, 1):
        assert evaluate(model, labels, batch_size) == pytest.approx(expected(labels, scores))


def test_two_replicas_find_the_same(two_replicas):
    labels, scores = videos(levels=9)
    with two_replicas.scope():
        model = make_model(scores)
    for batch_size in (40, 8):
        assert evaluate(model, labels, batch_size) == pytest.approx(expected(labels, scores))


@pytest.mark.slow
def test_xla_finds_the_same():
    labels, scores = videos(levels=9)
    model = make_model(scores, jit_compile=True)
    assert evaluate(model, labels, 8) == pytest.approx(expected(labels, scores))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_find_the_same(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(TESTS)}
    script = TESTS / "metrics" / "run_on_backend.py"
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    for line in lines:
        result = json.loads(line.removeprefix("RESULT "))
        assert result == pytest.approx(expected(*videos(levels=9)), rel=1e-5)
    assert len(lines) == 2


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_epoch_of_fit_starts_anew(replicas, two_replicas):
    labels, scores = videos()
    if replicas == 1:
        model = make_model(scores)
    else:
        with two_replicas.scope():
            model = make_model(scores)
    model.optimizer.learning_rate = 0.0
    data = {"x": np.arange(40, dtype="int32"), "y": labels, "batch_size": 8, "verbose": 0}
    history = model.fit(**data, epochs=2, validation_data=(data["x"], labels)).history
    exact = expected(labels, scores)
    for name in ("gap", "map", "map3", "val_gap", "val_map"):
        value = exact[name.removeprefix("val_")]
        assert history[name] == pytest.approx([value, value])


def test_what_only_fills_up_a_batch_does_not_count():
    labels, scores = videos()
    weights = (np.arange(40) < 33).astype("float32")
    labels[33:], scores[33:] = 1, 9
    model = make_model(scores, name="weighted_metrics")
    found = evaluate(model, labels, 8, sample_weight=weights)
    assert found == pytest.approx(expected(labels[:33], scores[:33]))


def test_the_classes_of_an_evaluation():
    labels, scores = videos(30)
    labels[:, 2] = 0
    for top_k in (None, 4):
        metric = MeanAveragePrecision(12, top_k=top_k)
        for start in (0, 10, 20):
            metric.update_state(labels[start : start + 10], scores[start : start + 10])
        found = metric.per_class()
        np.testing.assert_allclose(found, average_precision_per_class(labels, scores, top_k))
        assert np.isnan(found[2])


def test_more_videos_than_there_is_room_for_are_an_error_with_their_number():
    metric = GlobalAveragePrecision(capacity=10)
    labels, scores = videos(8)
    metric.update_state(labels, scores)
    metric.result()
    metric.update_state(labels, scores)
    with pytest.raises(ValueError, match="make it with `capacity`.*16 videos, capacity=10"):
        metric.result()
    metric.reset_state()
    metric.update_state(labels, scores)
    assert 0 < float(metric.result()) < 1
    one = GlobalAveragePrecision(capacity=4)
    one.update_state(labels, scores)
    with pytest.raises(ValueError, match="8 videos, capacity=4"):
        one.result()


def test_the_room_is_shared_by_the_replicas(two_replicas):
    labels, scores = videos()
    with two_replicas.scope():
        metric = GlobalAveragePrecision(capacity=30)
        model = make_model(scores)
        model.compile("sgd", "mse", metrics=[metric])
    assert metric.variables[0].shape == (30, 20)
    with pytest.raises(ValueError, match="40 videos, capacity=30"):
        evaluate(model, labels, 8)


def test_a_metric_for_one_device_is_refused_under_a_strategy(two_replicas):
    labels, scores = videos()
    metric = GlobalAveragePrecision()
    with two_replicas.scope():
        model = make_model(scores)
        model.compile("sgd", "mse", metrics=[metric])
    with pytest.raises(ValueError, match="within `with strategy.scope"):
        evaluate(model, labels, 8)


def test_scores_that_are_no_numbers_are_misses():
    labels, scores = videos()
    broken, left_out = scores.copy(), scores.copy()
    broken[:, 0], left_out[:, 0] = np.nan, -np.inf
    found = evaluate(make_model(broken), labels, 8)
    assert found == pytest.approx(expected(labels, left_out))


def test_soft_targets_count_from_a_half_on():
    labels, scores = videos()
    for make in ALL:
        hard, soft = make(), make()
        hard.update_state(labels, scores)
        soft.update_state(labels * 0.8 + 0.1, scores)
        assert float(soft.result()) == float(hard.result())


def test_without_videos_or_positives_there_is_no_value():
    assert np.isnan(float(GlobalAveragePrecision().result()))
    metric = MeanAveragePrecision(12)
    metric.update_state(np.zeros((3, 12)), videos(3)[1])
    assert np.isnan(float(metric.result()))


def test_config_round_trip():
    for metric in (
        HitAtOne(),
        PrecisionAtEqualRecall(name="p"),
        GlobalAveragePrecision(top_k=3, capacity=7),
        MeanAveragePrecision(5, top_k=2, capacity=7),
    ):
        copy = keras.metrics.deserialize(keras.metrics.serialize(metric))
        assert type(copy) is type(metric) and copy.get_config() == metric.get_config()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: GlobalAveragePrecision(top_k=0), "top_k=0"),
        (lambda: GlobalAveragePrecision(capacity=0), "capacity=0"),
        (lambda: MeanAveragePrecision(1), "num_classes=1"),
        (lambda: MeanAveragePrecision(12).update_state(*videos(2, 5)), r"12 classes.*\(2, 5\)"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
