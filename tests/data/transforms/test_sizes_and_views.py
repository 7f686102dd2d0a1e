"""Scaling, views and normalisation."""

import numpy as np
import pytest
from golden_random import LegacyNumPy

from keras_video.data import center_crop, resize_short_side, ten_crop, three_crop, uniform_crop
from keras_video.data.transforms import (
    CenterCrop,
    Compose,
    JitterScale,
    Normalize,
    ShortSideScale,
    TenCrop,
    ThreeCrop,
)


@pytest.mark.parametrize("seed", range(6))
def test_jitter_scale_is_that_of_the_reference(golden, golden_clip, seed):
    scaled = JitterScale((256, 320))(golden_clip, LegacyNumPy(seed))
    assert scaled.shape[1:] == tuple(golden[f"JitterScale_seed{seed}_shape"])
    if seed < 4:
        step = golden["step"]
        assert np.array_equal(scaled[0, ::step, ::step], golden[f"JitterScale_seed{seed}"])


def test_short_side_scale_is_resize_short_side(golden_clip):
    for arguments in ({}, {"aspect_ratio": 16 / 9}, {"interpolation": "opencv_linear"}):
        scaled = ShortSideScale(100, **arguments)(golden_clip)
        assert np.array_equal(scaled, resize_short_side(golden_clip, 100, **arguments))
    assert ShortSideScale(99, rounding="nearest")(golden_clip).shape == (2, 99, 132, 3)
    assert ShortSideScale(50)(golden_clip.astype(np.float32)).dtype == np.float32


def test_crops_are_the_functions_of_their_names(golden_clip):
    assert np.array_equal(CenterCrop(224)(golden_clip), center_crop(golden_clip, 224))
    odd = golden_clip[:, :, :319]
    floor = CenterCrop(224, rounding="floor")(odd)
    assert np.array_equal(floor, center_crop(odd, 224, rounding="floor"))
    assert np.array_equal(ThreeCrop(224)(golden_clip), uniform_crop(golden_clip, 224))
    assert np.array_equal(ThreeCrop(224, "width")(golden_clip), three_crop(golden_clip, 224))
    assert np.array_equal(TenCrop(224)(golden_clip), ten_crop(golden_clip, 224))


def test_views_can_be_normalised(golden_clip):
    test = Compose([ShortSideScale(64), TenCrop(56), Normalize()])
    views = test(golden_clip)
    assert views.shape == (10, 2, 56, 56, 3) and views.dtype == np.float32
    pixel = TenCrop(56)(ShortSideScale(64)(golden_clip))[3, 1, 10, 20] / 255
    expected = (pixel - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert np.allclose(views[3, 1, 10, 20], expected, atol=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ShortSideScale(-1), "Received: short_side=-1"),
        (lambda: ShortSideScale(9, aspect_ratio=0.5), "Received: aspect_ratio=0.5"),
        (lambda: ShortSideScale(9, interpolation="cubic"), "Received: interpolation='cubic'"),
        (lambda: ShortSideScale(9, rounding="up"), "Received: rounding='up'"),
        (lambda: JitterScale((320, 256)), r"Received: short_side=\(320, 256\)"),
        (lambda: JitterScale()(np.zeros((1, 4, 4, 3), np.uint8)), "JitterScale is random"),
        (lambda: CenterCrop(9, rounding="up"), "Received: rounding='up'"),
        (lambda: CenterCrop(9)(np.zeros((1, 4, 4, 3), np.uint8)), "Received: size=9"),
        (lambda: ThreeCrop(9, along="height"), "Received: along='height'"),
        (lambda: TenCrop("9"), "Received: size='9'"),
        (lambda: Normalize(std=(0, 1, 1)), r"std=\(0, 1, 1\)"),
        (lambda: Normalize(mean=(0.5,)), r"mean=\(0.5,\)"),
    ],
)
def test_errors_say_what_was_received(make, message):
    with pytest.raises(ValueError, match=message):
        make()
