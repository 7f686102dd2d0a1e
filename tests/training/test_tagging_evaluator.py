"""`TaggingEvaluator`: every video once, all ranked together, whatever the batches and replicas."""

import json

import keras
import numpy as np
import pytest
from training.run_tagging_evaluator import CLASSES, answering, answers, numbered
from training.workers import start_workers

from keras_video import metrics
from keras_video.data import FeatureDataset, FeatureRecord
from keras_video.training import TaggingEvaluator


def expected(labels, logits, top_k=20, map_top_k=None):
    logits64 = logits.astype("float64")
    losses = np.log(1 + np.exp(np.where(labels, -logits64, logits64)))
    classes = metrics.average_precision_per_class(labels, logits, map_top_k)
    return {
        "gap": metrics.global_average_precision(labels, logits, top_k),
        "hit_at_one": metrics.hit_at_one(labels, logits),
        "perr": metrics.perr(labels, logits),
        "map": np.nanmean(classes),
        "loss": losses.sum(axis=1).mean(),
    }


@pytest.mark.parametrize("batch_size", [4, 23])
@pytest.mark.parametrize("last_batch", ["pad", "keep"])
def test_every_video_counts_once_whatever_the_batch(batch_size, last_batch):
    labels, logits = answers()
    data = numbered(labels, batch_size=batch_size, last_batch=last_batch)
    evaluator = TaggingEvaluator(answering(logits), data, top_k=4)
    for _ in range(2):
        assert evaluator.evaluate() == pytest.approx(expected(labels, logits, 4), rel=1e-6)
    classes = metrics.average_precision_per_class(labels, logits)
    np.testing.assert_allclose(evaluator.average_precisions, classes)
    np.testing.assert_array_equal(evaluator.positives, labels.sum(axis=0))


def test_two_replicas_count_every_video_once(two_replicas):
    labels, logits = answers()
    with two_replicas.scope():
        model = answering(logits)
    data = numbered(labels, batch_size=6, last_batch="pad")
    result = TaggingEvaluator(model, data, two_replicas, map_top_k=3).evaluate()
    assert result == pytest.approx(expected(labels, logits, map_top_k=3), rel=1e-6)


@pytest.mark.slow
def test_two_workers_rank_the_videos_of_both():
    labels, logits = answers()
    with start_workers("run_tagging_evaluator.py") as workers:
        outputs = workers.wait()
    for output in outputs:
        lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
        for line, map_top_k in zip(lines, (None, 3), strict=True):
            result, positives = json.loads(line.removeprefix("RESULT "))
            assert result == pytest.approx(expected(labels, logits, 4, map_top_k), rel=1e-6)
            assert positives == labels.sum(axis=0).tolist()


def test_an_answer_that_is_no_number_is_a_miss():
    labels, logits = answers()
    broken, missed = logits.copy(), logits.copy()
    broken[2, 0], missed[2] = np.nan, -np.inf
    result = TaggingEvaluator(answering(broken), numbered(labels, batch_size=8)).evaluate()
    assert np.isnan(result.pop("loss"))
    without = {name: value for name, value in expected(labels, missed).items() if name != "loss"}
    assert result == pytest.approx(without, rel=1e-6)


def test_without_labels_there_is_no_ranking():
    labels, logits = answers()
    result = TaggingEvaluator(answering(logits), numbered(labels * 0)).evaluate()
    assert np.isnan(result["gap"]) and np.isnan(result["map"])
    assert result["hit_at_one"] == result["perr"] == 0


def feature_model():
    """Says class 0 with a logit of 2 everywhere, more of it where features are larger."""
    inputs = {
        "rgb": keras.Input((None, 2), name="rgb"),
        "rgb_mask": keras.Input((None,), dtype="bool", name="rgb_mask"),
    }
    number = keras.ops.max(inputs["rgb"], axis=(1, 2))[:, None]
    mask = 0.0 * keras.ops.cast(inputs["rgb_mask"], "float32")[:, :1]
    return keras.Model(inputs, number * keras.ops.convert_to_tensor([[1.0, -1.0]]) + 2.0 + mask)


def test_features_that_cannot_be_read_are_misses(tmp_path):
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", np.full((3 + number, 2), number, "float32"))
    (tmp_path / "1.npy").write_bytes(b"nothing")
    records = [
        FeatureRecord(str(number), {"rgb": str(tmp_path / f"{number}.npy")}, labels=(0,))
        for number in range(4)
    ]
    data = FeatureDataset(records, num_classes=2, batch_size=3, last_batch="pad")
    evaluator = TaggingEvaluator(feature_model(), data, top_k=1)
    for _ in range(2):
        result = evaluator.evaluate()
        assert result["hit_at_one"] == result["perr"] == result["gap"] == 0.75


def test_dropping_videos_is_refused():
    labels, logits = answers()
    data = numbered(labels, batch_size=4, last_batch="drop")
    with pytest.raises(ValueError, match='last_batch="pad"'):
        TaggingEvaluator(answering(logits), data)


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.arange(23) % 3, rf"each of the {CLASSES} classes.*labels of shape \(23,\)"),
        (np.full((23, CLASSES), 0.3), "0 or 1"),
        (np.zeros((23, 3)), r"\(23, 3\)"),
        (None, "no labels"),
    ],
)
def test_other_labels_are_refused(labels, message):
    data = numbered(np.zeros(23), batch_size=23)
    inputs = data.batch(0)[0]
    batches = [(inputs,) if labels is None else (inputs, labels)]
    with pytest.raises(ValueError, match=message):
        TaggingEvaluator(answering(answers()[1]), batches).evaluate()


def test_no_videos_are_an_error():
    with pytest.raises(ValueError, match="no videos"):
        TaggingEvaluator(answering(answers()[1]), []).evaluate()
