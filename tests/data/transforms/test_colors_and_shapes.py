"""Colour jitter, RandAugment and erasing."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from keras_video.data.transforms import ColorJitter, RandAugment, RandomErasing, color_matrix
from keras_video.data.transforms.rand_augment import _OPERATIONS

GREY = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def clip():
    """Four different frames, none of it too dark or too bright."""
    rng = np.random.default_rng(3)
    return rng.integers(60, 180, (4, 40, 60, 3)).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "transform",
    [
        ColorJitter(0.4, 0.4, 0.4, 0.1),
        RandAugment(),
        RandAugment(num_ops=4, magnitude=3),
        RandomErasing(0.9),
        RandomErasing(0.9, fill=(10, 20, 30)),
    ],
)
def test_frames_are_treated_alike_and_the_clip_is_left_alone(still, transform, dtype):
    clip = still.astype(dtype)
    results = [transform(clip, np.random.default_rng(seed)) for seed in range(12)]
    assert np.array_equal(clip, still)
    for seed, result in enumerate(results):
        assert result.dtype == dtype and result.shape == clip.shape
        assert (result == result[:1]).all()
        assert result.min() >= 0 and result.max() <= 255
        assert np.array_equal(transform(clip, np.random.default_rng(seed)), result)
    assert len({result.tobytes() for result in results}) > 5


@pytest.mark.parametrize("operation", _OPERATIONS, ids=lambda operation: operation.__name__)
def test_each_operation_of_rand_augment_treats_frames_alike(still, operation):
    still = still // 2 + 20  # leaves room for contrast
    for sign in (1, -1):
        result = operation(still, 0.9, sign)
        assert result.dtype == np.uint8 and result.shape == still.shape
        assert (result == result[:1]).all()
        assert operation.__name__ == "_identity" or not np.array_equal(result, still)


def test_rand_augment_does_not_even_out_the_brightness_of_frames():
    clip = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (50, 100, 150)])
    equalize = next(one for one in _OPERATIONS if one.__name__ == "_equalize")
    autocontrast = next(one for one in _OPERATIONS if one.__name__ == "_autocontrast")
    for operation in (equalize, autocontrast):
        levels = operation(clip, 0.9, 1)[:, 0, 0, 0].astype(int)
        assert (np.diff(levels) > 80).all()


def test_rand_augment_without_strength_moves_nothing(still):
    moves = [one for one in _OPERATIONS if one.__name__.split("_")[1] in ("rotate", "shear")]
    for operation in moves:
        assert np.array_equal(operation(still, 0.0, 1), still)
    assert RandAugment(num_ops=0)(still, np.random.default_rng(0)) is still


@pytest.mark.parametrize(
    "name, enhance", [("brightness", ImageEnhance.Brightness), ("saturation", ImageEnhance.Color)]
)
@pytest.mark.parametrize("factor", [0.6, 1.3])
def test_jitter_is_that_of_pillow(clip, name, enhance, factor):
    jitter = ColorJitter(**{name: (factor, factor)})
    for dtype in (np.uint8, np.float32):
        result = jitter(clip.astype(dtype), np.random.default_rng(0))
        for frame, changed in zip(clip, result, strict=True):
            expected = np.asarray(enhance(Image.fromarray(frame)).enhance(factor))
            assert np.abs(changed.astype(float) - expected).max() <= 1.6


def test_contrast_is_about_the_mean_of_the_clip(clip):
    result = ColorJitter(contrast=(0.5, 0.5))(clip, np.random.default_rng(0)).astype(float)
    mean = (clip @ GREY).mean()
    assert np.abs(result - (mean + (clip - mean) / 2)).max() < 2
    for seed in range(5):
        jitter = ColorJitter(brightness=(0.5, 0.5), contrast=(0.5, 0.5))
        result = jitter(clip, np.random.default_rng(seed)).astype(float)
        assert np.abs(result - (mean / 2 + (clip - mean) / 4)).max() < 2


def test_hue_turns_colours_and_keeps_grey_levels(clip):
    clip = (clip // 4 + 100).astype(np.float32)
    result = ColorJitter(hue=(0.25, 0.25))(clip, np.random.default_rng(0))
    assert np.abs(result @ GREY - clip @ GREY).max() < 0.01
    assert np.abs(result - clip).max() > 10
    back = color_matrix.apply_matrix(result, color_matrix.hue(-0.25))
    assert np.abs(back - clip).max() < 0.01


def test_nothing_to_jitter_changes_nothing(clip):
    assert ColorJitter()(clip, np.random.default_rng(0)) is clip


def test_erasing_paints_one_rectangle_within_its_limits():
    clip = np.full((3, 60, 80, 3), 255, np.uint8)
    erase = RandomErasing(1.0, area=(0.1, 0.2), ratio=(0.5, 2), fill=7)
    for seed in range(50):
        result = erase(clip, np.random.default_rng(seed))
        assert (result == result[:1]).all()
        rows, columns = (result[0, :, :, 0] == 7).nonzero()
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width
        assert 0.09 < height * width / 4800 < 0.21 and 0.45 < height / width < 2.2


def test_erasing_is_as_frequent_as_told(still):
    erased = [
        RandomErasing(0.3)(still, np.random.default_rng(seed)) is not still for seed in range(300)
    ]
    assert 0.2 < np.mean(erased) < 0.4
    # No rectangle of that shape fits: the clip stays as it is.
    assert RandomErasing(1.0, area=(1, 1), ratio=(9, 9))(still, np.random.default_rng(0)) is still


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ColorJitter(brightness=-1), "Received: brightness=-1"),
        (lambda: ColorJitter(hue=0.7), r"from -0.5 to 0.5"),
        (lambda: ColorJitter(contrast="much"), "Received: contrast='much'"),
        (lambda: RandAugment(num_ops=1.5), "Received: num_ops=1.5"),
        (lambda: RandAugment(magnitude=11), "Received: magnitude=11"),
        (lambda: RandomErasing(2), "Received: probability=2"),
        (lambda: RandomErasing(fill="red"), "Received: fill='red'"),
        (lambda: RandomErasing(fill=300), "Received: fill=300"),
        (lambda: RandomErasing(fill=(1, 2)), r"Received: fill=\(1, 2\)"),
        (lambda: RandomErasing(area=(0, 2)), r"Received: area=\(0, 2\)"),
        (lambda: RandAugment()(np.zeros((1, 4, 4, 3), np.uint8)), "RandAugment is random"),
    ],
)
def test_errors_say_what_was_received(make, message):
    with pytest.raises(ValueError, match=message):
        make()
