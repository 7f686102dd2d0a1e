"""AR@AN, mAP and F1 are those of the official code, of their definitions, and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from localization.brute_force import LABELS, average_precision, overlap, random_videos

from keras_video.localization import (
    Action,
    Detection,
    Proposal,
    average_recall,
    detection_average_precision,
    detection_f1,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "localization" / "activitynet.json"
CASES = json.loads(GOLDEN.read_text())
RUN = {"a": [Action(0.0, 10.0, "run")]}


def grouped(rows, kind):
    videos = {}
    for name, *values in rows:
        videos.setdefault(name, []).append(kind(*values))
    return videos


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_average_recall_equals_the_official_evaluation(case):
    truth = grouped(case["truth"], Action)
    results = grouped([row[:4] for row in case["results"]], Proposal)
    found = average_recall(results, truth, max_proposals=case["max_proposals"])
    np.testing.assert_allclose(found.recall_per_threshold[:, ::9] / 100, case["recall"], atol=1e-12)
    np.testing.assert_allclose(found.proposals_per_video, case["proposals_per_video"])
    assert found.auc == pytest.approx(case["auc"], abs=1e-9)
    assert found.at(case["max_proposals"]) == pytest.approx(100 * np.mean(case["recall"], 0)[-1])


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_average_precision_equals_the_official_evaluation(case):
    truth = grouped(case["truth"], Action)
    found = detection_average_precision(grouped(case["results"], Detection), truth)
    expected = case["average_precision"]
    assert found.labels == tuple(expected)
    np.testing.assert_allclose(found.per_class, list(expected.values()), atol=1e-12)
    assert found.average == pytest.approx(np.mean(list(expected.values())))


@pytest.mark.parametrize("seed", range(6))
def test_scores_of_detections_follow_from_their_definitions(seed):
    truth, detections = random_videos(seed)
    found = detection_average_precision(detections, truth, thresholds=[0.3, 0.6])
    for column, threshold in enumerate((0.3, 0.6)):
        counts = detection_f1(detections, truth, threshold=threshold)
        total = np.zeros(3, int)
        for label in LABELS:
            expected = average_precision(detections, truth, label, threshold)
            row = found.labels.index(label)
            assert found.per_class[row, column] == pytest.approx(expected[0])
            got = counts.per_class[label]
            assert (got.right, got.detections, got.actions) == expected[1:]
            total += expected[1:]
        overall = counts.overall
        assert (overall.right, overall.detections, overall.actions) == tuple(total)
        assert overall.precision == total[0] / total[1] and overall.recall == total[0] / total[2]


@pytest.mark.parametrize("seed", range(4))
def test_recall_follows_from_its_definition(seed):
    truth, proposals = random_videos(seed, videos=20)
    found = average_recall(proposals, truth, max_proposals=3, thresholds=[0.5, 0.8])
    videos = [name for name, actions in truth.items() if actions]
    share = 3 * len(videos) / sum(map(len, proposals.values()))
    ranked = {name: sorted(proposals[name], key=lambda p: -p.score) for name in videos}
    cut = {name: ranked[name][: int(share * len(ranked[name]))] for name in videos}
    kept = sum(map(len, cut.values()))
    for row, threshold in enumerate((0.5, 0.8)):
        for point in (10, 33, 66, 100):
            part = point / 100 * 3 * len(videos) / kept
            hits = [
                any(overlap(p, a) >= threshold for p in cut[name][: int(len(cut[name]) * part)])
                for name in videos
                for a in truth[name]
            ]
            assert found.recall_per_threshold[row, point - 1] == pytest.approx(100 * np.mean(hits))


def test_recall_by_hand():
    truth = {
        "a": [Action(0.0, 10.0, "run"), Action(20.0, 30.0, "jump")],
        "b": [Action(0.0, 10.0, "run")],
        "none annotated": [],
    }
    proposals = {"a": [Proposal(20.0, 28.0, 0.2), Proposal(0.0, 10.0, 0.9)]}
    found = average_recall(proposals, truth, max_proposals=2)
    # One of three at all ten thresholds, one at 0.5 to 0.8, one in the video without proposals.
    assert found.at(2) == pytest.approx(100 * (1 + 0.7) / 3)
    # One proposal of "a" and none of "b" are half a proposal a video.
    assert found.at(0.5) == pytest.approx(100 / 3)
    assert found.recall.shape == (100,) and found.recall_per_threshold.shape == (10, 100)
    with pytest.raises(ValueError, match="from 0.02 to 2 proposals"):
        found.at(5)


def test_without_any_proposals_nothing_is_found():
    found = average_recall({}, RUN)
    assert found.at(1) == found.at(100) == found.auc == 0
    assert average_recall({"a": []}, RUN).auc == 0
    assert detection_average_precision({}, RUN).average == 0
    overall = detection_f1({}, RUN).overall
    assert (overall.precision, overall.recall, overall.f1) == (0, 0, 0)


def test_a_double_hit_is_wrong():
    twice = {"a": [Detection(0.0, 9.0, 0.8, "run"), Detection(0.0, 8.0, 0.9, "run")]}
    found = detection_f1(twice, RUN).overall
    assert (found.right, found.detections, found.precision, found.recall) == (1, 2, 0.5, 1.0)
    assert found.f1 == pytest.approx(2 / 3)
    # Interpolated precision forgives a double hit after the last recall, not before.
    assert detection_average_precision(twice, RUN, [0.5]).average == 1.0
    assert detection_average_precision(twice, RUN, [0.85]).average == 0.5


def test_a_detection_takes_the_next_action_if_its_best_is_taken():
    truth = {"a": [Action(0.0, 10.0, "run"), Action(1.0, 12.0, "run")]}
    twice = {"a": [Detection(0.0, 10.0, 0.9, "run"), Detection(0.0, 10.5, 0.8, "run")]}
    assert detection_f1(twice, truth, threshold=0.7).overall.right == 2
    assert detection_f1(twice, truth, threshold=0.9).overall.right == 1


def test_labels_that_the_truth_has_not_are_named_or_wrong():
    found = {"a": [Detection(0.0, 10.0, 0.9, "run"), Detection(0.0, 10.0, 0.9, "fly")]}
    precision = detection_average_precision(found, RUN)
    assert precision.labels == ("run",) and precision.unknown_labels == ("fly",)
    assert precision.average == 1.0
    counts = detection_f1(found, RUN)
    assert counts.per_class["fly"].precision == 0 and counts.per_class["fly"].actions == 0
    assert counts.overall.precision == 0.5 and counts.overall.recall == 1.0


def test_detections_below_the_lowest_score_do_not_count():
    truth = {"a": [Action(0.0, 10.0, "run"), Action(0.0, 10.0, "jump")]}
    found = {"a": [Detection(0.0, 10.0, 0.5, "run"), Detection(0.0, 10.0, 0.4, "jump")]}
    assert detection_f1(found, truth, min_score=0.5).overall.detections == 1
    by_label = detection_f1(found, truth, min_score={"run": 0.6}).per_class
    assert (by_label["run"].detections, by_label["jump"].detections) == (0, 1)


def test_overlap_can_be_the_share_of_the_action():
    long = {"a": [Detection(0.0, 40.0, 0.9, "run")]}
    assert detection_f1(long, RUN).overall.right == 0
    assert detection_f1(long, RUN, overlap="ioa").overall.right == 1
    short = {"a": [Detection(0.0, 4.0, 0.9, "run")]}
    assert detection_f1(short, RUN, overlap="ioa").overall.right == 0


def test_map_is_known_at_its_thresholds():
    found = detection_average_precision({"a": [Detection(0.0, 8.0, 0.9, "run")]}, RUN)
    assert found.at(0.8) == 1.0 and found.at(0.85) == 0.0
    with pytest.raises(ValueError, match="The thresholds are 0.5, 0.55"):
        found.at(0.3)


@pytest.mark.parametrize(
    "evaluate",
    [average_recall, detection_average_precision, detection_f1],
    ids=lambda f: f.__name__,
)
def test_what_cannot_be_compared_is_refused(evaluate):
    good = {"a": [Detection(0.0, 8.0, 0.9, "run")]}
    with pytest.raises(ValueError, match="names must be the same.*'v_a'.*'a'"):
        evaluate({"v_a": good["a"]}, RUN)
    with pytest.raises(ValueError, match="truth has no actions"):
        evaluate(good, {"a": []})
    with pytest.raises(ValueError, match="list of .* for 'a'|for 'a'"):
        evaluate({"a": [(0.0, 8.0, 0.9)]}, RUN)
    with pytest.raises(ValueError, match="for 'a'"):
        evaluate({"a": good["a"][0]}, RUN)
    with pytest.raises(ValueError, match="dictionary"):
        evaluate([good], RUN)
    with pytest.raises(ValueError, match="Actions for each video"):
        evaluate(good, {"a": good["a"]})


def test_wrong_arguments_are_refused():
    for thresholds in ([], [0.0], [1.5], [np.nan], "half"):
        with pytest.raises(ValueError, match="thresholds"):
            average_recall({}, RUN, thresholds=thresholds)
        with pytest.raises(ValueError, match="thresholds"):
            detection_average_precision({}, RUN, thresholds=thresholds)
    with pytest.raises(ValueError, match="max_proposals=0"):
        average_recall({}, RUN, max_proposals=0)
    with pytest.raises(ValueError, match="overlap='giou'"):
        detection_f1({}, RUN, overlap="giou")
    with pytest.raises(ValueError, match="min_score"):
        detection_f1({}, RUN, min_score=float("nan"))
