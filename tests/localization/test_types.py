"""Actions, videos, proposals and detections hold what can be, and nothing else."""

import dataclasses
import math

import numpy as np
import pytest

from keras_video.localization import Action, AnnotatedVideo, Detection, Proposal


def test_they_are_values_that_cannot_be_changed():
    action = Action(1.0, 2.0, "goal")
    assert action == Action(1.0, 2.0, "goal") and len({action, Action(1.0, 2.0, "goal")}) == 1
    for item in (action, Proposal(1.0, 2.0, 0.5), Detection(1.0, 2.0, 0.5, "goal")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            item.start = 0.0


@pytest.mark.parametrize(
    ("start", "end"),
    [(2.0, 1.0), (math.nan, 1.0), (0.0, math.inf), ("0", 1.0), (None, 1.0), (False, 1.0)],
)
def test_times_that_are_none_are_refused(start, end):
    with pytest.raises(ValueError, match="Received: start="):
        Action(start, end, "goal")
    with pytest.raises(ValueError, match="Received: start="):
        Proposal(start, end, 0.5)
    with pytest.raises(ValueError, match="Received: start="):
        Detection(start, end, 0.5, "goal")


@pytest.mark.parametrize("times", [(1.0, 1.0), (-1.0, 1.0)])
def test_an_action_lasts_and_starts_within_the_video(times):
    with pytest.raises(ValueError, match="starts at 0 seconds or later"):
        Action(*times, "goal")
    assert Proposal(*times, 0.5).end == 1.0


def test_scores_are_finite_and_labels_names():
    assert Proposal(np.float32(1), np.int64(2), np.float64(3)).score == 3
    for score in (math.nan, math.inf, "0.5", None):
        with pytest.raises(ValueError, match="Received: score="):
            Proposal(1.0, 2.0, score)
        with pytest.raises(ValueError, match="Received: score="):
            Detection(1.0, 2.0, score, "goal")
    for label in ("", " ", None, 3):
        with pytest.raises(ValueError, match="Received: label="):
            Detection(1.0, 2.0, 0.5, label)


def test_a_video_has_a_name_a_duration_a_split_and_its_actions():
    action = Action(1.0, 2.0, "goal")
    assert AnnotatedVideo("a.mp4", None, "val", [action]).actions == (action,)
    assert AnnotatedVideo("a.mp4", 2.0, "val", (action,)).duration == 2.0
    with pytest.raises(ValueError, match="has a name"):
        AnnotatedVideo("", 9.0, "train")
    with pytest.raises(ValueError, match="duration=nan"):
        AnnotatedVideo("a.mp4", math.nan, "train")
    with pytest.raises(ValueError, match="one of train, val, test"):
        AnnotatedVideo("a.mp4", 9.0, "validation")
    with pytest.raises(ValueError, match="within its video of 1.5 seconds"):
        AnnotatedVideo("a.mp4", 1.5, "train", (action,))
    with pytest.raises(ValueError, match="`actions` are Actions"):
        AnnotatedVideo("a.mp4", 1.5, "train", ((0.0, 1.0, "goal"),))
