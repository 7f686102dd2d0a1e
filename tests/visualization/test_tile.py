import numpy as np
import pytest

from keras_video.visualization import tile


def constant(value, time=2, height=4, width=6):
    return np.full((time, height, width, 3), value, "uint8")


def test_clips_fill_the_grid_row_by_row():
    grid = tile([constant(1), constant(2), constant(3)], columns=2, gap=2, fill=(9, 9, 9))
    assert grid.shape == (2, 10, 14, 3)
    assert (grid[:, :4, :6] == 1).all()
    assert (grid[:, :4, 8:] == 2).all()
    assert (grid[:, 6:, :6] == 3).all()
    assert (grid[:, 6:, 8:] == 9).all()
    assert (grid[:, 4:6] == 9).all()


def test_short_clips_hold_their_last_frame():
    short = np.stack([np.full((4, 6, 3), value, "uint8") for value in (5, 6)])
    grid = tile([short, constant(1, time=4)], columns=2, gap=0)
    assert grid[:, 0, 0, 0].tolist() == [5, 6, 6, 6]


@pytest.mark.parametrize(("clips", "columns"), [([], 1), ([constant(0)], 0)])
def test_an_empty_grid_is_refused(clips, columns):
    with pytest.raises(ValueError, match="Received: .* columns="):
        tile(clips, columns)
