import numpy as np
import pytest

from keras_video.layers import FoldTime, UnfoldTime


def test_unfold_is_the_inverse_of_fold():
    clips = np.arange(2 * 3 * 4 * 5 * 6, dtype="float32").reshape(2, 3, 4, 5, 6)
    frames = FoldTime()(clips)
    assert frames.shape == (6, 4, 5, 6)
    np.testing.assert_array_equal(frames[4], clips[1, 1])
    np.testing.assert_array_equal(UnfoldTime(3)(frames), clips)


def test_shapes_with_unknown_sides():
    assert FoldTime().compute_output_shape((None, 8, None, 7, 3)) == (None, None, 7, 3)
    assert UnfoldTime(8).compute_output_shape((None, 7, 7, 3)) == (None, 8, 7, 7, 3)


def test_bad_num_frames_is_named():
    with pytest.raises(ValueError, match="Received: num_frames=0"):
        UnfoldTime(0)
