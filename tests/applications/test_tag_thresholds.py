"""Thresholds have the highest F-score that any threshold has."""

import numpy as np
import pytest

from keras_video.applications import best_thresholds


def f1(labels, given):
    right = (labels * given).sum()
    return 2 * right / max(labels.sum() + given.sum(), 1)


@pytest.mark.parametrize("decimals", [1, 8])
def test_no_other_threshold_is_better(decimals):
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 9)) < np.linspace(0.05, 0.7, 9)).astype(float)
    scores = np.clip(np.round(0.3 * labels + 0.7 * rng.random((60, 9)), decimals), 0, 1)
    thresholds = best_thresholds(labels, scores)
    for tag in range(9):
        reached = f1(labels[:, tag], scores[:, tag] >= thresholds[tag])
        others = [f1(labels[:, tag], scores[:, tag] >= score) for score in np.unique(scores)]
        assert reached == pytest.approx(max(others))


def test_thresholds_lie_between_scores():
    labels, scores = np.array([[1], [1], [0], [0]]), np.array([[0.9], [0.6], [0.2], [0.1]])
    np.testing.assert_allclose(best_thresholds(labels, scores), [0.4])
    np.testing.assert_allclose(best_thresholds(np.ones((3, 1)), np.full((3, 1), 0.8)), [0.4])


def test_recall_can_weigh_more():
    labels = np.array([[1], [0], [0], [1]])
    scores = np.array([[0.9], [0.8], [0.7], [0.6]])
    assert best_thresholds(labels, scores, beta=0.5)[0] > 0.8
    assert best_thresholds(labels, scores, beta=3)[0] < 0.6


def test_tags_that_no_video_has_get_the_default():
    thresholds = best_thresholds(np.array([[0, 1], [0, 0]]), np.array([[0.9, 0.8], [0.1, 0.3]]))
    np.testing.assert_allclose(thresholds, [0.5, 0.55])


def test_other_shapes_and_scores_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        best_thresholds(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="probabilities"):
        best_thresholds(np.ones((2, 3)), np.full((2, 3), 2.0))
    with pytest.raises(ValueError, match="probabilities"):
        best_thresholds(np.ones((2, 3)), np.full((2, 3), np.nan))
