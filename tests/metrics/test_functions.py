"""The functions: the reference's numbers on its batches, the definitions on whole sets."""

import json
from pathlib import Path

import numpy as np
import pytest
from metrics.tagged import (
    defined_average_precision,
    defined_gap,
    defined_per_class,
    defined_perr,
    videos,
)

from keras_video.metrics import (
    average_precision,
    average_precision_per_class,
    global_average_precision,
    hit_at_one,
    perr,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "youtube8m"
CASES = json.loads((GOLDEN / "metrics.json").read_text())["metrics"]
FUNCTIONS = (hit_at_one, perr, global_average_precision, average_precision_per_class)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['shape']}")
def test_a_batch_has_the_numbers_of_the_reference(case):
    arrays = np.load(GOLDEN / "metrics.npz")
    labels, scores = arrays[f"label{case['i']}"], arrays[f"pred{case['i']}"]
    found = {
        "hit_at_one": hit_at_one(labels, scores),
        "perr": perr(labels, scores),
        "gap": global_average_precision(labels, scores),
        "gap_top5": global_average_precision(labels, scores, top_k=5),
    }
    assert found == pytest.approx({name: case[name] for name in found}, abs=2e-7)


@pytest.mark.parametrize("levels", [None, 4, 0])
@pytest.mark.parametrize("top_k", [1, 3, 12, 20])
def test_gap_is_that_of_its_definition(levels, top_k):
    labels, scores = videos(levels=levels or None)
    scores = scores * 0 if levels == 0 else scores
    expected = defined_gap(labels, scores, top_k)
    assert global_average_precision(labels, scores, top_k) == pytest.approx(expected)


@pytest.mark.parametrize("levels", [None, 4])
def test_the_classes_are_ranked_by_the_definition(levels):
    labels, scores = videos(levels=levels)
    labels[:, 3] = 0
    found = average_precision_per_class(labels, scores)
    np.testing.assert_allclose(found, defined_per_class(labels, scores))
    assert np.isnan(found[3]) and not np.isnan(found[4])


def test_only_the_best_classes_of_a_video_count_as_predicted():
    labels, scores = videos()
    kept = np.argsort(np.argsort(-scores, axis=1), axis=1) < 3
    expected = [
        defined_average_precision(
            list(zip(scores[kept[:, c], c], labels[kept[:, c], c], strict=True)), labels[:, c].sum()
        )
        for c in range(labels.shape[1])
    ]
    np.testing.assert_allclose(average_precision_per_class(labels, scores, top_k=3), expected)


@pytest.mark.parametrize("levels", [None, 3])
def test_perr_is_that_of_its_definition(levels):
    labels, scores = videos(levels=levels)
    labels[5] = 0
    assert perr(labels, scores) == pytest.approx(defined_perr(labels, scores))


@pytest.mark.parametrize("levels", [None, 3])
def test_the_order_of_videos_means_nothing(levels):
    labels, scores = videos(levels=levels)
    order = np.random.default_rng(1).permutation(len(labels))
    for function in FUNCTIONS:
        expected = function(labels, scores)
        np.testing.assert_allclose(function(labels[order], scores[order]), expected, rtol=1e-12)


def test_logits_and_probabilities_have_the_same_metrics():
    labels, logits = videos()
    for function in FUNCTIONS:
        expected = function(labels, logits.astype("float64"))
        np.testing.assert_allclose(function(labels, 1 / (1 + np.exp(-logits - 0.0))), expected)


def test_the_mean_over_batches_is_another_number():
    labels, scores = videos()
    batches = [global_average_precision(labels[i::10], scores[i::10]) for i in range(10)]
    assert np.mean(batches) - global_average_precision(labels, scores) > 0.01


def test_of_equal_scores_the_lower_class_is_the_answer():
    labels, scores = np.array([[0, 1, 1], [1, 0, 0]]), np.ones((2, 3))
    assert hit_at_one(labels, scores) == 0.5
    assert perr(labels, scores) == 0.75
    # One prediction each: class 0, wrong and right; two other labels were not predicted.
    assert global_average_precision(labels, scores, top_k=1) == pytest.approx(0.5 / 3)


def test_without_positives_there_is_no_average_precision():
    labels, scores = np.zeros((3, 4)), videos(3, 4)[1]
    assert np.isnan(global_average_precision(labels, scores))
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))
    assert np.isnan(average_precision_per_class(labels, scores)).all()
    assert hit_at_one(labels, scores) == perr(labels, scores) == 0


def test_a_class_that_was_not_predicted_is_a_miss():
    labels, scores = videos()
    scores[0] = -np.inf
    labels[0, 0] = 1
    others = scores[1:]
    lost = labels[0].sum() / labels.sum()
    expected = global_average_precision(labels[1:], others, 12) * (1 - lost)
    assert global_average_precision(labels, scores, 12) == pytest.approx(expected)
    assert hit_at_one(labels[:1], scores[:1]) == perr(labels[:1], scores[:1]) == 0


def test_weights_count_a_prediction_several_times():
    labels, scores = np.array([1, 0, 1, 0, 1]), np.array([0.9, 0.8, 0.8, 0.3, 0.1])
    weights = np.array([1, 2, 0, 3, 1])
    expected = average_precision(np.repeat(labels, weights), np.repeat(scores, weights))
    assert average_precision(labels, scores, weights) == pytest.approx(expected)
    assert average_precision([1, 0], [2, 1], num_positives=4) == 0.25


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "labels, scores, message",
    [
        ([[0, 1]], [[0.1, np.nan]], "NaN in 1 of 1"),
        ([[0, 0.5]], [[0.1, 0.2]], "0 or 1.*0.5 among them"),
        ([[0, 1]], [[0.1, 0.2, 0.3]], r"labels of shape \(1, 2\), scores of shape \(1, 3\)"),
        ([0, 1], [0.1, 0.2], r"\(videos, classes\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "at least one"),
        ([["a"]], [[0.1]], "0 or 1"),
        ([[1]], [["a"]], "must be numbers"),
    ],
)
def test_what_is_no_prediction_is_refused(function, labels, scores, message):
    with pytest.raises(ValueError, match=message):
        function(labels, scores)


@pytest.mark.parametrize("top_k", [0, -1, 2.5, True])
def test_an_impossible_number_of_predictions_is_refused(top_k):
    for function in (global_average_precision, average_precision_per_class):
        with pytest.raises(ValueError, match=f"top_k={top_k}"):
            function([[1, 0]], [[0.1, 0.2]], top_k=top_k)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([1, 0], [0.5]), "same length"),
        (([1], [np.nan]), "NaN"),
        (([1, 0], [1, 2], [1, -1]), "a weight from 0"),
        (([1, 1], [1, 2], None, 1), "num_positives=1, 2 in"),
    ],
)
def test_an_impossible_ranking_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        average_precision(*arguments)
