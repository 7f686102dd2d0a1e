import numpy as np
import pytest

from keras_video.data import center_crop, ten_crop, three_crop, uniform_crop


@pytest.fixture
def clip():
    """Two frames whose pixels hold their own (frame, row, column)."""
    grid = np.meshgrid(np.arange(2), np.arange(256), np.arange(341), indexing="ij")
    return np.stack(grid, axis=-1)


def corner(crop):
    """(row, column) of the upper left pixel of the first frame."""
    return tuple(crop[0, 0, 0, 1:].tolist())


def test_center_crop_rounds_an_odd_margin_to_even_or_down(clip):
    assert center_crop(clip, 224).shape == (2, 224, 224, 3)
    assert corner(center_crop(clip, 224)) == (16, 58)  # 58.5
    assert corner(center_crop(clip[:, :, :339], 224)) == (16, 58)  # 57.5
    assert corner(center_crop(clip[:, :, :339], 224, rounding="floor")) == (16, 57)


def test_three_crop_is_left_right_center(clip):
    crops = three_crop(clip, 224)
    assert crops.shape == (3, 2, 224, 224, 3)
    assert [corner(crop) for crop in crops] == [(16, 0), (16, 116), (16, 58)]


def test_uniform_crop_follows_the_longer_side(clip):
    assert [corner(crop) for crop in uniform_crop(clip, 224)] == [(16, 0), (16, 59), (16, 117)]
    tall = clip.swapaxes(1, 2)[..., [0, 2, 1]]
    assert [corner(crop) for crop in uniform_crop(tall, 224)] == [(0, 16), (59, 16), (117, 16)]


def test_ten_crop_is_corners_and_center_with_mirror_images(clip):
    crops = ten_crop(clip, 224)
    assert crops.shape == (10, 2, 224, 224, 3)
    assert [corner(crop) for crop in crops[::2]] == [(0, 0), (0, 116), (32, 0), (32, 116), (16, 58)]
    assert np.array_equal(crops[1::2], crops[::2, :, :, ::-1])


@pytest.mark.parametrize("crop", [center_crop, three_crop, uniform_crop, ten_crop])
def test_crops_of_the_whole_frame(crop):
    frame = np.arange(48).reshape(4, 4, 3)
    assert (crop(frame, 4).reshape(-1, 4, 4, 3)[0] == frame).all()


@pytest.mark.parametrize("crop", [center_crop, three_crop, uniform_crop, ten_crop])
def test_a_crop_that_does_not_fit_is_an_error(crop, clip):
    with pytest.raises(ValueError, match="256x341 pixels. Received: size=257"):
        crop(clip, 257)


def test_unknown_rounding_is_an_error(clip):
    with pytest.raises(ValueError, match="Received: rounding='up'"):
        center_crop(clip, 224, rounding="up")
