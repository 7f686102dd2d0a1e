"""`ProposalEvaluator`: every video once, whatever the batches, replicas and workers."""

import json

import numpy as np
import pytest
from training.run_proposal_evaluator import annotated, answering, answers, numbered
from training.workers import start_workers

from keras_video.localization import (
    Action,
    AnnotatedVideo,
    Proposal,
    average_recall,
    rank_proposals,
    soft_nms,
)
from keras_video.training import ProposalEvaluator


def proposals(outputs, videos, **arguments):
    """Those of one video after the other."""
    found = {}
    for number, video in enumerate(videos):
        one = {name: array[number].astype("float64") for name, array in outputs.items()}
        ranked = rank_proposals(one["confidence"].transpose(2, 0, 1), one["starts"], one["ends"])
        segments, scores = soft_nms(*ranked, **arguments)
        times = (segments * video.duration).tolist()
        found[video.video] = [
            Proposal(*pair, score) for pair, score in zip(times, scores.tolist(), strict=True)
        ]
    return found


def expected(outputs, videos, **arguments):
    truth = {video.video: video.actions for video in videos}
    found = average_recall(proposals(outputs, videos, **arguments), truth)
    recalls = {f"ar@{count}": found.at(count) / 100 for count in (1, 5, 10, 100)}
    return {"auc": found.auc / 100, **recalls}


@pytest.mark.parametrize("options", [{"last_batch": "pad"}, {"shuffle": True, "seed": 3}])
@pytest.mark.parametrize("batch_size", [4, 11])
def test_every_video_counts_once_whatever_the_batch(batch_size, options):
    data = numbered(batch_size=batch_size, **options)
    evaluator = ProposalEvaluator(answering(answers()), data, annotated())
    for _ in range(2):
        result = evaluator.evaluate()
        assert result == pytest.approx(expected(answers(), annotated()), rel=1e-9)
    assert tuple(result) == evaluator.numbers
    assert 0 < result["ar@1"] < result["ar@5"] < result["ar@10"] <= result["ar@100"] < 1
    for name, wanted in proposals(answers(), annotated()).items():
        for ours, theirs in zip(evaluator.proposals[name], wanted, strict=True):
            assert (ours.start, ours.end) == pytest.approx((theirs.start, theirs.end))
            assert ours.score == pytest.approx(theirs.score, rel=1e-6)


def test_two_replicas_count_every_video_once(two_replicas):
    with two_replicas.scope():
        model = answering(answers())
    data = numbered(batch_size=6, last_batch="pad")
    result = ProposalEvaluator(model, data, annotated(), strategy=two_replicas).evaluate()
    assert result == pytest.approx(expected(answers(), annotated()), rel=1e-9)


@pytest.mark.slow
def test_two_workers_find_the_actions_of_both():
    with start_workers("run_proposal_evaluator.py") as workers:
        outputs = workers.wait()
    for output in outputs:
        (line,) = (line for line in output.splitlines() if line.startswith("RESULT "))
        result = json.loads(line.removeprefix("RESULT "))
        assert result == pytest.approx(expected(answers(), annotated()), rel=1e-9)


def test_arguments_reach_the_suppression():
    data = numbered(batch_size=11)
    arguments = {"alpha": 0.01, "low_threshold": 0.0, "high_threshold": 0.0}
    result = ProposalEvaluator(answering(answers()), data, annotated(), **arguments).evaluate()
    assert result == pytest.approx(expected(answers(), annotated(), **arguments), rel=1e-9)
    assert result != pytest.approx(expected(answers(), annotated()), rel=1e-3)


def test_an_answer_that_is_no_number_proposes_nothing():
    broken = answers()
    broken["starts"][4, 0] = np.nan
    evaluator = ProposalEvaluator(answering(broken), numbered(batch_size=8), annotated())
    result = evaluator.evaluate()
    assert evaluator.proposals["video 4"] == []
    assert result["ar@100"] < expected(answers(), annotated())["ar@100"]


def test_perfect_answers_find_everything():
    """Each video has one action, of steps 3 to 5, and the answers say so."""
    outputs = {name: 0 * array for name, array in answers().items()}
    outputs["starts"][:, 3] = outputs["ends"][:, 5] = outputs["confidence"][:, 2, 3] = 1
    videos = [
        AnnotatedVideo(f"video {number}", 5.0 + number, "val", [Action(0.3 * d, 0.6 * d, "any")])
        for number, d in enumerate(np.arange(5.0, 16.0))
    ]
    result = ProposalEvaluator(answering(outputs), numbered(batch_size=4), videos).evaluate()
    assert result["ar@100"] == pytest.approx(1)


def test_what_cannot_be_is_refused():
    model, videos = answering(answers()), annotated()
    with pytest.raises(ValueError, match='last_batch="pad"'):
        ProposalEvaluator(model, numbered(batch_size=4, last_batch="drop"), videos)
    with pytest.raises(ValueError, match="10 videos for 11 records"):
        ProposalEvaluator(model, numbered(), videos[1:])
    with pytest.raises(ValueError, match="one name twice"):
        ProposalEvaluator(model, numbered(), [*videos[1:], videos[1]])
    with pytest.raises(ValueError, match="make_bmn_dataset"):
        ProposalEvaluator(model, numbered())
    with pytest.raises(ValueError, match="`alpha` is above 0"):
        ProposalEvaluator(model, numbered(), videos, alpha=0)
