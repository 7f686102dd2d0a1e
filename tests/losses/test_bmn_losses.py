"""BMN's losses are finite whatever the labels, and choose segments by the numbers they are given.

That they are the reference's is tested with the model, in tests/models/test_golden_bmn.py.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.localization import make_bmn_labels
from keras_video.losses import BoundaryLoss, SegmentConfidenceLoss


def maps(overlap, chance=0.5):
    overlap = np.asarray(overlap, "float32")[np.newaxis]
    return np.stack([overlap, np.full_like(overlap, chance)], axis=-1)


@pytest.mark.parametrize("labels", [[0.0] * 5, [1.0] * 5, [-1.0] * 5, [1.0, 0.0, -1.0, 0.5, 0.6]])
@pytest.mark.parametrize("predictions", [0.0, 0.5, 1.0])
def test_losses_and_gradients_are_finite_whatever_the_labels(labels, predictions):
    for loss, true, shape in (
        (BoundaryLoss(), np.array([labels], "float32"), (1, 5)),
        (SegmentConfidenceLoss(), maps([labels]), (1, 1, 5, 2)),
    ):
        predicted = tf.fill(shape, predictions)
        with tf.GradientTape() as tape:
            tape.watch(predicted)
            value = loss(true, predicted)
        assert np.isfinite(value) and np.isfinite(tape.gradient(value, predicted)).all()


def test_both_classes_weigh_the_same_and_missing_ones_nothing():
    predictions = np.array([[0.9, 0.2, 0.4, 0.7]], "float32")
    labels = np.array([[1.0, 0.0, 0.0, -1.0]], "float32")
    expected = -0.5 * (np.log(0.9) + (np.log(0.8) + np.log(0.6)) / 2)
    assert float(BoundaryLoss()(labels, predictions)) == pytest.approx(expected, abs=1e-5)


def test_the_regression_takes_as_many_lower_segments_as_high_ones():
    """The highest draws of each band; cells that are no segments never count."""
    overlap = np.array([[0.9, 0.8, 0.5, 0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.1, -1.0]], "float32")
    chance = np.array([[0.0, 0.0, 0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.7, 0.1, 1.0]], "float32")
    labels = np.stack([overlap, chance], axis=-1)[np.newaxis]
    predictions = np.zeros_like(labels)
    predictions[..., 1] = np.maximum(overlap > 0.9, 1e-6)
    # Shares 2/4 and 2/4: draws above a half.
    chosen = [0.9, 0.8, 0.5, 0.4, 0.1, 0.1]
    expected = 10 * 0.5 * np.mean(np.square(chosen))
    with_cls = SegmentConfidenceLoss()(labels, predictions)
    without = SegmentConfidenceLoss(regression_weight=0.0)(labels, predictions)
    assert float(with_cls) - float(without) == pytest.approx(expected, rel=1e-5)


def test_configs_build_the_same_losses():
    for loss in (
        BoundaryLoss(threshold=0.3, epsilon=1e-5),
        SegmentConfidenceLoss(regression_weight=2.0),
    ):
        copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
        assert copy.get_config() == loss.get_config()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape.*Received"):
        BoundaryLoss()(np.zeros((2, 4)), np.zeros((2, 5)))
    with pytest.raises(ValueError, match="durations, time, 2.*Received"):
        SegmentConfidenceLoss()(np.zeros((2, 4, 4)), np.zeros((2, 4, 4)))


def brute_force(segments, num_frames, max_duration):
    """The overlaps of a map by its definition, cell by cell."""
    overlaps = np.full((max_duration, num_frames), -1.0)
    for duration in range(max_duration):
        for start in range(num_frames - duration):
            cell = start / num_frames, (start + duration + 1) / num_frames
            best = 0.0
            for segment in segments:
                inside = min(cell[1], segment[1]) - max(cell[0], segment[0])
                union = max(cell[1], segment[1]) - min(cell[0], segment[0])
                best = max(best, inside / union)
            overlaps[duration, start] = best
    return overlaps


def test_labels_follow_from_the_definition():
    rng = np.random.default_rng(0)
    for _ in range(10):
        times = np.sort(rng.random((3, 2)), axis=1)
        labels = make_bmn_labels(times, 12, 9)
        assert labels["confidence"].shape == (9, 12, 2)
        np.testing.assert_allclose(
            labels["confidence"][..., 0], brute_force(times, 12, 9), atol=1e-6
        )
    nothing = make_bmn_labels([], 12)
    assert nothing["confidence"][..., 0].max() == nothing["starts"].max() == 0
    # By start and end, the same segments lie elsewhere.
    other = make_bmn_labels(times, 12, layout="start_end")["confidence"][..., 0]
    first = make_bmn_labels(times, 12)["confidence"][..., 0]
    for start in range(12):
        for end in range(12):
            expected = first[end - start, start] if end >= start else -1
            assert other[start, end] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "segments", [[(0.5, 0.5)], [(0.6, 0.5)], [(np.nan, 0.5)], [(0.5, 1.5)], [(-0.1, 0.5)]]
)
def test_segments_that_are_none_are_refused(segments):
    with pytest.raises(ValueError, match="Segments must be.*Received"):
        make_bmn_labels(segments, 10)
    with pytest.raises(ValueError, match="layout.*Received"):
        make_bmn_labels([], 10, layout="ends")
