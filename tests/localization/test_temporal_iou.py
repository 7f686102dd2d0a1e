"""Overlaps of segments."""

import numpy as np
import pytest

from keras_video.localization import temporal_ioa, temporal_iou


def test_overlaps_by_hand():
    a, b = [[0, 10], [20, 30], [5, 5]], [[5, 15], [0, 10], [22, 24], [5, 5]]
    np.testing.assert_allclose(temporal_iou(a, b), [[1 / 3, 1, 0, 0], [0, 0, 0.2, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(temporal_ioa(a, b), [[0.5, 1, 0, 0], [0, 0, 0.2, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(temporal_ioa(b, a)[2], [0, 1, 0])


def test_no_segments_have_no_overlaps():
    assert temporal_iou([], [[0, 1]]).shape == (0, 1)
    assert temporal_ioa([[0, 1]], np.zeros((0, 2))).shape == (1, 0)
    assert temporal_iou([[0, 1]], [[0, 1]]).dtype == np.float64


@pytest.mark.parametrize(
    "wrong", [[[0, np.nan]], [[2, 1]], [0, 1], [[0, 1, 2]], [["a", "b"]], [[0, np.inf]], 3]
)
def test_what_is_no_segment_is_refused(wrong):
    with pytest.raises(ValueError, match="`a`.*Received"):
        temporal_iou(wrong, [[0, 1]])
    with pytest.raises(ValueError, match="`b`.*Received"):
        temporal_ioa([[0, 1]], wrong)
