"""Long videos are covered by windows, and what a window cuts off is found by the next one."""

import numpy as np
import pytest

from keras_video.localization import plan_windows, propose_in_windows, temporal_iou
from keras_video.localization.windows import take_window


@pytest.mark.parametrize("num_steps", [1, 7, 10, 11, 15, 40, 43])
@pytest.mark.parametrize("stride", [1, 4, 10])
def test_windows_cover_every_step(num_steps, stride):
    starts = plan_windows(num_steps, 10, stride)
    covered = {step for first in starts for step in range(first, first + 10)}
    assert covered >= set(range(num_steps)) and starts == sorted(set(starts))
    assert starts[-1] == max(num_steps - 10, 0)
    with pytest.raises(ValueError, match="Received: num_steps=5, window=10, stride=11"):
        plan_windows(5, 10, 11)


def test_a_short_video_is_filled_up_with_zeros():
    window = take_window(np.ones((3, 2), "float16"), 0, 5)
    assert window.dtype == "float32" and window.sum(axis=1).tolist() == [2, 2, 2, 0, 0]


class Oracle:
    """A network that sees in a feature where actions are, as far as its window shows them."""

    feature_dim, num_frames, map_layout = 1, 20, "duration_start"

    def __init__(self):
        self.batches = []

    def predict_on_batch(self, inputs):
        features = inputs["features"][..., 0]
        self.batches.append(len(features))
        active = np.pad(features, ((0, 0), (1, 1))) > 0
        starts = 0.9 * (active[:, 1:-1] & ~active[:, :-2]) + 0.01
        ends = 0.9 * (active[:, 1:-1] & ~active[:, 2:]) + 0.01
        confidence = np.zeros((len(features), 20, 20, 2))
        for batch, row in enumerate(features):
            for duration in range(20):
                for start in range(20 - duration):
                    inside = row[start : start + duration + 1]
                    confidence[batch, duration, start] = inside.mean()
        return {"starts": starts, "ends": ends, "confidence": confidence}


def test_actions_are_found_once_and_whole():
    features = np.zeros((75, 1), "float32")
    # The second and third lie across the edges of windows, the last at the video's end.
    actions = np.array([[2, 8], [17, 24], [38, 43], [66, 75]])
    for start, end in actions:
        features[start:end] = 1
    oracle = Oracle()
    segments, scores = propose_in_windows(oracle, features, score_threshold=0.5, batch_size=3)
    assert (np.diff(scores) <= 0).all() and len(segments) == 4
    assert temporal_iou(actions, segments).max(axis=1).tolist() == [1.0] * 4
    assert sum(oracle.batches) == len(plan_windows(75, 20, 10)) and max(oracle.batches) == 3
    longer, _ = propose_in_windows(oracle, features, score_threshold=0.5, min_duration=7)
    assert sorted(longer[:, 0].tolist()) == [17, 66]


@pytest.mark.parametrize("start", range(0, 26, 3))
def test_an_action_longer_than_what_windows_share_is_found_too(start):
    """No window may show it whole; the longest part that one shows is better than nothing."""
    features = np.zeros((60, 1), "float32")
    features[start : start + 16] = 1
    segments, _ = propose_in_windows(Oracle(), features, score_threshold=0.5)
    assert temporal_iou([[start, start + 16]], segments).max() >= 0.6


def test_windows_beyond_a_short_video_end_with_it():
    features = np.ones((8, 1), "float32")
    segments, _ = propose_in_windows(Oracle(), features, score_threshold=0.0)
    assert segments.max() <= 8


@pytest.mark.parametrize(
    "features, message",
    [
        (np.zeros((5, 2)), r"\(steps, 1\).*Received: shape \(5, 2\)"),
        (np.zeros((0, 1)), r"Received: shape \(0, 1\)"),
        (np.full((5, 1), np.nan), "Received: NaN"),
    ],
)
def test_bad_features_are_named(features, message):
    with pytest.raises(ValueError, match=message):
        propose_in_windows(Oracle(), features)


def test_features_of_other_lengths_are_interpolated_and_bad_ones_named():
    from keras_video.localization import propose_segments
    from keras_video.localization.propose import resize_features

    ramp = np.arange(40, dtype="float32")[:, None]
    np.testing.assert_allclose(resize_features(ramp, 20, 1)[:, 0], np.arange(20) * 2 + 0.5)
    longer = resize_features(ramp, 80, 1)[:, 0]
    assert longer[0] == 0 and longer[-1] == 39 and (np.diff(longer) >= 0).all()
    assert resize_features(ramp[:1], 5, 1)[:, 0].tolist() == [0.0] * 5

    features = np.zeros((40, 1), "float32")
    features[10:20] = 1
    proposals = propose_segments(Oracle(), features, duration=80.0, max_proposals=5)
    assert 1 <= len(proposals) <= 5
    assert (proposals[0].start, proposals[0].end) == pytest.approx((20, 40))
    for bad, duration, message in (
        (features[:, :0], 80.0, r"\(steps, 1\).*Received: shape \(40, 0\)"),
        (np.full((4, 1), np.inf), 80.0, "first in step 0"),
        (features, 0.0, "duration=0.0"),
        (features, np.nan, "duration=nan"),
    ):
        with pytest.raises(ValueError, match=message):
            propose_segments(Oracle(), bad, duration)
