"""Hard and soft non-maximum suppression."""

from pathlib import Path

import numpy as np
import pytest

from keras_video.localization import nms, soft_nms, temporal_iou

GOLDEN = Path(__file__).parents[1] / "golden" / "models"


def test_nms_keeps_the_best_of_those_that_overlap():
    segments = [[0, 10], [1, 10], [20, 30], [0, 5], [20, 30]]
    assert nms(segments, [0.5, 0.9, 0.7, 0.1, 0.7], 0.7).tolist() == [1, 2, 3]
    assert nms(segments, [0.5, 0.9, 0.7, 0.1, 0.7], 0.3).tolist() == [1, 2]
    assert nms(segments, [0.5, 0.9, 0.7, 0.1, 0.7], 1.0).tolist() == [1, 2, 4, 0, 3]


def test_a_segment_at_the_threshold_is_kept():
    assert nms([[0, 10], [0, 5]], [1, 0.5], 0.5).tolist() == [0, 1]
    assert nms([[0, 10], [0, 5.01]], [1, 0.5], 0.5).tolist() == [0]


def test_nms_leaves_no_two_that_overlap_and_drops_none_without_cause():
    rng = np.random.default_rng(0)
    segments = np.sort(rng.random((300, 2)), axis=1)
    scores = rng.random(300)
    kept = nms(segments, scores, 0.4)
    overlaps = temporal_iou(segments, segments)
    assert (overlaps[np.ix_(kept, kept)] - np.eye(len(kept)) <= 0.4).all()
    assert (np.diff(scores[kept]) <= 0).all()
    for dropped in set(range(300)) - set(kept.tolist()):
        better = kept[scores[kept] >= scores[dropped]]
        assert (overlaps[dropped, better] > 0.4).any()


@pytest.mark.parametrize("name", ["bmn model", "bmn synth", "bmn_tiny model", "bmn_tiny synth"])
def test_soft_nms_takes_what_the_reference_takes(name):
    file, case = name.split()
    golden = np.load(GOLDEN / f"{file}.npz")
    proposals, expected = golden[f"post:{case}_proposals"], golden[f"post:{case}_snms"]
    segments, scores = soft_nms(proposals[:, :2], proposals[:, 2], max_proposals=101)
    # Of 33 segments the reference drops the last.
    assert len(scores) == min(len(proposals), 101)
    np.testing.assert_allclose(scores[: len(expected)], expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(segments[: len(expected)], expected[:, 1:], rtol=1e-12)


def test_soft_nms_lowers_by_the_overlap_and_spares_what_is_near_a_long_one():
    segments = [[0.0, 1.0], [0.0, 0.8], [0.0, 0.1], [0.0, 0.08]]
    found, scores = soft_nms(segments, [1.0, 0.9, 0.8, 0.7])
    # 0.8 of the whole video is below 0.9; 0.8 of a tenth is above 0.55 + 0.35 / 10.
    np.testing.assert_allclose(scores, [1.0, 0.9, 0.8, 0.7 * np.exp(-0.64 / 0.4)])
    assert found.tolist() == segments
    assert len(soft_nms(segments, [1.0, 0.9, 0.8, 0.7], max_proposals=2)[1]) == 2


def test_none_of_none():
    assert nms([], [], 0.5).tolist() == []
    segments, scores = soft_nms([], [])
    assert segments.shape == (0, 2) and scores.shape == (0,)
    assert soft_nms([[0, 1]], [0.5])[1].tolist() == [0.5]


@pytest.mark.parametrize("function", [lambda s, c: nms(s, c, 0.5), soft_nms])
def test_wrong_arrays_are_refused(function):
    with pytest.raises(ValueError, match="one score for each segment"):
        function([[0, 1]], [0.5, 0.4])
    with pytest.raises(ValueError, match="finite"):
        function([[0, 1]], [np.nan])
    with pytest.raises(ValueError, match="in row 0"):
        function([[0, np.nan]], [0.5])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="iou_threshold=1.5"):
        nms([[0, 1]], [0.5], 1.5)
    with pytest.raises(ValueError, match="divide seconds by its duration"):
        soft_nms([[0, 90.0]], [0.5])
    with pytest.raises(ValueError, match="at least 0"):
        soft_nms([[0, 1]], [-0.5])
    with pytest.raises(ValueError, match="alpha=0"):
        soft_nms([[0, 1]], [0.5], alpha=0)
    with pytest.raises(ValueError, match="max_proposals"):
        soft_nms([[0, 1]], [0.5], max_proposals=0)
