"""Resized frames against those of Pillow and OpenCV as PaddleVideo calls them."""

from pathlib import Path

import numpy as np
import pytest

from keras_video.data import center_crop, resize, resize_short_side
from keras_video.data.resizing import short_side_size

GOLDEN = Path(__file__).parent.parent / "golden" / "data"
SIZES = ["341x256", "300x256", "256x256", "224x168", "320x256", "160x120", "427x320"]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "resize.npz") as file:
        return dict(file)


def difference(actual, expected):
    return int(np.abs(actual.astype(int) - expected).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "interpolation, library, tolerance", [("bilinear", "pil", 0), ("opencv_linear", "cv2", 1)]
)
def test_resize_matches_its_library(golden, size, interpolation, library, tolerance):
    width, height = map(int, size.split("x"))
    resized = resize(golden["source"], (height, width), interpolation)
    assert resized.shape == (height, width, 3) and resized.dtype == np.uint8
    step = golden["step"]
    assert difference(resized[::step, ::step], golden[f"{library}_{size}"]) <= tolerance


def test_the_test_pipeline_of_tsm_matches_the_reference():
    with np.load(GOLDEN / "tsm_test_frame.npz") as file:
        golden = dict(file)
    step = golden["step"]
    scaled = resize_short_side(golden["decoded"], 256)
    assert scaled.shape == (256, 341, 3)
    assert difference(scaled[::step, ::step], golden["scaled"]) == 0
    assert difference(center_crop(scaled, 224)[::step, ::step], golden["cropped"]) == 0


@pytest.mark.parametrize("interpolation", ["bilinear", "opencv_linear"])
def test_a_clip_is_resized_frame_by_frame(interpolation):
    clip = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3)).astype(np.uint8)
    resized = resize(clip, (20, 30), interpolation)
    for frame, expected in zip(clip, resized, strict=True):
        assert np.array_equal(resize(frame, (20, 30), interpolation), expected)


@pytest.mark.parametrize("interpolation", ["bilinear", "opencv_linear"])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (99, 2)])
def test_extreme_sizes(interpolation, size):
    frame = np.full((50, 70, 3), 117, np.uint8)
    assert (resize(frame, size, interpolation) == 117).all()


def test_short_side_keeps_the_shape_unless_told_otherwise():
    assert short_side_size(240, 320, 256) == (256, 341)
    assert short_side_size(320, 240, 256) == (341, 256)
    assert short_side_size(1080, 1920, 256) == (256, 455)
    assert short_side_size(1080, 1920, 256, aspect_ratio=4 / 3) == (256, 341)
    assert short_side_size(1920, 1080, 256, aspect_ratio=4 / 3) == (341, 256)
    assert short_side_size(300, 300, 256, aspect_ratio=4 / 3) == (341, 256)
    assert short_side_size(240, 427, 256) == (256, 455)
    assert short_side_size(240, 427, 256, rounding="nearest") == (256, 455)
    assert short_side_size(240, 428, 256) == (256, 456)
    assert short_side_size(240, 428, 256, rounding="nearest") == (256, 457)


def test_frames_of_the_right_short_side_are_left_alone():
    assert short_side_size(256, 340, 256, aspect_ratio=4 / 3) == (256, 340)
    frame = np.zeros((256, 340, 3), np.uint8)
    assert resize_short_side(frame, 256, aspect_ratio=4 / 3) is frame


def test_errors_say_what_was_received():
    frame = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="Received: interpolation='cubic'"):
        resize(frame, (4, 4), "cubic")
    with pytest.raises(ValueError, match=r"Received: shape=\(8, 8\), dtype=uint8"):
        resize(frame[..., 0], (4, 4))
    with pytest.raises(ValueError, match="dtype=float32"):
        resize(frame.astype(np.float32), (4, 4))
    with pytest.raises(ValueError, match="Received: rounding='up'"):
        short_side_size(10, 10, 5, rounding="up")
