"""`RunRecord`: which evaluation is the best, and when to stop."""

import json

import pytest

from keras_video.training.run_record import RunRecord, check_counts


def test_the_highest_is_best_and_of_losses_the_lowest():
    record = RunRecord()
    assert [record.note({"top1": v}, "top1") for v in (0.1, 0.3, 0.3, 0.2)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert record.best == {"top1": 0.3} and record.stale == 2
    record = RunRecord()
    assert [record.note({"loss": v}, "loss") for v in (2.0, 3.0, 1.0)] == [True, False, True]


def test_of_equal_ones_that_with_the_lower_loss_is_best():
    record = RunRecord()
    results = [{"top1": 1.0, "loss": v} for v in (0.5, 0.1, 0.3)] + [{"top1": 0.9, "loss": 0.0}]
    assert [record.note(result, "top1") for result in results] == [True, True, False, False]
    assert record.best == {"top1": 1.0, "loss": 0.1}
    assert record.stale == 3


def test_what_is_no_number_is_never_best():
    record = RunRecord()
    results = [record.note({"loss": v}, "loss") for v in (float("nan"), 2.0, float("nan"))]
    assert results == [False, True, False] and record.best == {"loss": 2.0}


@pytest.mark.parametrize(("patience", "expected"), [(None, 9), (0, 2), (1, 2), (2, 3)])
def test_patience_counts_evaluations_without_progress(patience, expected):
    record, evaluations = RunRecord(), 0
    while evaluations < 9 and not record.is_out_of_patience(patience):
        record.note({"top1": 0.5}, "top1")
        evaluations += 1
    assert evaluations == expected


def test_a_record_goes_through_json():
    record = RunRecord(step=7, epoch=1, batch=2, best={"top1": 0.25}, stale=1)
    assert RunRecord.from_state(json.loads(json.dumps(record.to_state()))) == record


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_counts_are_whole_numbers(value):
    with pytest.raises(ValueError, match="`epochs` must be a whole number from 1"):
        check_counts(epochs=value)
