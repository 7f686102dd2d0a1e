import numpy as np
import pytest

from keras_video.data.samplers import sample_uniform
from keras_video.features import step_plan
from keras_video.features.step_plan import ClipShape, plan_steps
from keras_video.features.step_rule import StepRule

ALONE, GROUPS = ClipShape(4, True, True), ClipShape(4, True)
CLIPS = ClipShape(4, False, frame_interval=2)


def plan(shape, rule, length=20, fps=10.0, times=None):
    times = np.arange(length) / fps if times is None else np.asarray(times)
    return plan_steps(times, times[-1] - times[0] + 1 / fps, fps, StepRule(*rule), shape)


def frames_of(found):
    """The frame, or frames, that each step is of."""
    rows = found.clips[found.clip_of_step]
    return rows[np.arange(len(rows)), found.place_of_step].tolist()


def test_frames_are_the_middle_ones_of_segments():
    found = plan(ALONE, ("frames", 6))
    assert frames_of(found) == [1, 4, 7, 10, 13, 16] == sample_uniform(20, 6)[0].tolist()
    np.testing.assert_allclose(found.times, np.array([1, 4, 7, 10, 13, 16]) / 10)


def test_a_short_video_starts_again_and_each_frame_is_seen_once():
    found = plan(ALONE, ("frames", 8), length=3)
    assert frames_of(found) == [0, 1, 2, 0, 1, 2, 0, 1]
    assert found.clips.tolist() == [[0], [1], [2]]


def test_steps_a_second_take_the_frame_on_screen():
    found = plan(ALONE, ("fps", 4), length=10)  # 0.1 s a frame
    assert frames_of(found) == [0, 2, 5, 7]
    np.testing.assert_allclose(found.times, [0, 0.25, 0.5, 0.75])


def test_steps_a_second_go_by_time_stamps_not_by_the_rate():
    times = [5.0, 5.1, 5.2, 5.9, 6.0, 7.2]
    found = plan(ALONE, ("fps", 2), times=times)
    assert frames_of(found) == [0, 2, 4, 4, 4]
    np.testing.assert_allclose(found.times, [0, 0.5, 1, 1.5, 2])


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 60])
def test_time_stamps_in_milliseconds_skip_no_frame(fps):
    times = np.round(np.arange(100) / fps, 3)
    found = plan_steps(times, times[-1] + 1 / fps, fps, StepRule("fps", fps), ALONE)
    assert frames_of(found) == list(range(100))


def test_more_steps_than_frames_repeat_them():
    found = plan(ALONE, ("fps", 20), length=3)
    assert frames_of(found) == [0, 0, 1, 1, 2, 2]
    assert len(found.clips) == 3


def test_a_stride_takes_every_nth_frame():
    found = plan(ALONE, ("stride", 8))
    assert frames_of(found) == [0, 8, 16]
    np.testing.assert_allclose(found.times, [0, 0.8, 1.6])


def test_frames_that_see_their_neighbours_are_in_groups():
    found = plan(GROUPS, ("stride", 2), length=12)
    assert found.clips.tolist() == [[0, 2, 4, 6], [8, 10, 10, 10]]
    assert frames_of(found) == [0, 2, 4, 6, 8, 10]
    assert found.steps == 6


def test_clips_begin_every_stride_until_one_reaches_the_end():
    found = plan(CLIPS, ("stride", 6))  # of seven frames
    assert found.clips.tolist() == [
        [0, 2, 4, 6], [6, 8, 10, 12], [12, 14, 16, 18], [18, 19, 19, 19]
    ]  # fmt: skip
    np.testing.assert_allclose(found.times, [0.3, 0.9, 1.5, 1.85])
    assert plan(CLIPS, ("stride", 13)).clips[:, 0].tolist() == [0, 13]


def test_clips_a_second_begin_at_their_times():
    assert plan(CLIPS, ("fps", 2)).clips[:, 0].tolist() == [0, 5, 10, 15]
    assert plan(CLIPS, ("fps", 2), length=7).clips[:, 0].tolist() == [0]


def test_a_number_of_clips_reaches_from_start_to_end():
    assert plan(CLIPS, ("frames", 3)).clips[:, 0].tolist() == [0, 6, 13]
    assert plan(CLIPS, ("frames", 1)).clips[:, 0].tolist() == [6]
    short = plan(CLIPS, ("frames", 3), length=5)
    assert (short.clips.tolist(), short.steps) == ([[0, 2, 4, 4]], 3)


@pytest.mark.parametrize("shape", [ALONE, GROUPS, CLIPS])
@pytest.mark.parametrize("rule", [("frames", 5), ("fps", 3), ("stride", 7)])
def test_a_single_frame_is_a_video(shape, rule):
    found = plan(shape, rule, length=1)
    assert set(found.clips.reshape(-1).tolist()) == {0}
    assert found.steps == (5 if rule[0] == "frames" else 1)


def test_segments_hold_so_many_frames_and_so_much_time(monkeypatch):
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 10)
    monkeypatch.setattr(step_plan, "_SEGMENT_SECONDS", 1.5)
    assert plan(GROUPS, ("stride", 1)).segments == ((0, 2), (2, 4), (4, 5))
    assert plan(ALONE, ("stride", 8), length=60).segments == ((0, 2), (2, 4), (4, 6), (6, 8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 0}, "`frames` must be a whole number"),
        ({"frames": 2.5}, "`frames` must be a whole number"),
        ({"stride": -1}, "`stride` must be a whole number"),
        ({"stride": True}, "`stride` must be a whole number"),
        ({"fps": 0}, "`fps` must be a number above 0"),
        ({"fps": float("nan")}, "`fps` must be a number above 0"),
        ({"fps": "5"}, "`fps` must be a number above 0"),
        ({"fps": 5, "stride": 2}, "Give one of"),
    ],
)
def test_rules_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        StepRule.of(**arguments)
