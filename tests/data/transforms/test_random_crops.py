"""Random crops and flips against PaddleVideo's, drawn from the same numbers."""

import keras
import numpy as np
import pytest
from golden_random import LegacyPython

from keras_video.data import center_crop, resize_short_side
from keras_video.data.transforms import (
    Compose,
    MultiScaleCrop,
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    mirrored_labels,
)


def difference(clip, expected, step):
    return int(np.abs(clip[0, ::step, ::step].astype(int) - expected).max())


@pytest.mark.parametrize("seed", range(4))
def test_multi_scale_crop_is_that_of_the_reference(golden, golden_clip, seed):
    crop = MultiScaleCrop(256)(golden_clip, LegacyPython(seed))
    assert crop.shape == (2, 256, 256, 3) and crop.dtype == np.uint8
    assert difference(crop, golden[f"MultiScaleCrop_pptsm_seed{seed}"], golden["step"]) == 0
    tsn = MultiScaleCrop(224, more_places=False, interpolation="opencv_linear")
    crop = tsn(golden_clip, LegacyPython(seed))
    assert difference(crop, golden[f"MultiScaleCrop_tsn_seed{seed}"], golden["step"]) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_random_crop_is_that_of_the_reference(golden, golden_clip, seed):
    crop = RandomCrop(224)(resize_short_side(golden_clip, 256), LegacyPython(seed))
    assert difference(crop, golden[f"RandomCrop224_seed{seed}"], golden["step"]) == 0


@pytest.mark.parametrize("seed", range(6))
def test_flip_is_that_of_the_reference(golden, golden_clip, seed):
    flipped = RandomFlip()(golden_clip, LegacyPython(seed))
    expected = golden[f"RandomFlip_seed{seed}"]
    assert np.array_equal(flipped[0, ::16, ::8], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "transform", [MultiScaleCrop(48), RandomResizedCrop(48), RandomCrop(48), RandomFlip()]
)
def test_frames_are_treated_alike_and_the_clip_is_left_alone(still, transform, dtype):
    clip = still.astype(dtype)
    results = [transform(clip, np.random.default_rng(seed)) for seed in range(8)]
    assert np.array_equal(clip, still)
    for seed, result in enumerate(results):
        assert result.dtype == dtype and (result == result[:1]).all()
        assert np.array_equal(transform(clip, np.random.default_rng(seed)), result)
    assert len({result.tobytes() for result in results}) > 1


@pytest.mark.parametrize("crop", [MultiScaleCrop(40), RandomResizedCrop(40)])
def test_floats_are_resized_as_bytes_are(still, crop):
    for seed in range(5):
        as_bytes = crop(still, np.random.default_rng(seed))
        as_floats = crop(still.astype(np.float32), np.random.default_rng(seed))
        assert np.abs(as_floats - as_bytes).max() <= 1.01


def test_random_resized_crop_keeps_its_limits():
    # Rows and columns hold their own position, so a crop tells its edges.
    rows, columns = np.mgrid[:100, :200].astype(np.float32)
    clip = np.stack([rows, columns, rows], axis=-1)[None]
    crop = RandomResizedCrop(64, scale=(0.2, 0.5), ratio=(0.5, 2))
    rng = np.random.default_rng(0)
    for _ in range(200):
        result = crop(clip, rng)[0]
        height = (result[-1, 0, 0] - result[0, 0, 0]) * 64 / 63
        width = (result[0, -1, 1] - result[0, 0, 1]) * 64 / 63
        assert 0.2 * 0.9 < height * width / 20_000 < 0.5 * 1.1
        assert 0.5 * 0.9 < width / height < 2 * 1.1


def test_random_resized_crop_of_a_frame_that_is_too_narrow_is_the_middle():
    clip = np.zeros((1, 10, 100, 3), np.uint8)
    clip[:, :, 43:57] = 200  # ratio 4/3 of a height of 10 gives a width of 13
    result = RandomResizedCrop(32, scale=(1, 1))(clip, np.random.default_rng(0))
    assert result.shape == (1, 32, 32, 3) and (result == 200).all()


def test_random_crop_reaches_every_place():
    clip = np.zeros((1, 5, 6, 3), np.uint8)
    clip[0, :, :, 0], clip[0, :, :, 1] = np.mgrid[:5, :6]
    rng = np.random.default_rng(0)
    corners = {tuple(RandomCrop(4)(clip, rng)[0, 0, 0, :2].tolist()) for _ in range(100)}
    assert corners == {(y, x) for y in range(2) for x in range(3)}
    with pytest.raises(ValueError, match="5x6 pixels; scale them first.*Received: size=7"):
        RandomCrop(7)(clip, rng)


def test_a_mirrored_clip_has_the_mirrored_label():
    clip = np.arange(12, dtype=np.uint8).reshape(1, 1, 4, 3)
    flip = RandomFlip(label_map={3: 4, 4: 3})
    seen = set()
    for seed in range(20):
        result, label = flip.call_with_label(clip, 3, np.random.default_rng(seed))
        mirrored = not np.array_equal(result, clip)
        assert label == (4 if mirrored else 3)
        assert flip.call_with_label(clip, 7, np.random.default_rng(seed))[1] == 7
        assert flip.call_with_label(clip, None, np.random.default_rng(seed))[1] is None
        seen.add(mirrored)
    assert seen == {True, False}
    rng = np.random.default_rng(0)
    always, never = RandomFlip(1.0), RandomFlip(0.0)
    assert all(np.array_equal(always(clip, rng), clip[:, :, ::-1]) for _ in range(20))
    assert all(never(clip, rng) is clip for _ in range(20))


def test_mirrored_labels_know_turns():
    labels = ["rotating clockwise", "rotating counterclockwise", "zooming in"]
    assert mirrored_labels(labels) == {0: 1, 1: 0}
    assert mirrored_labels(["Spin anti-clockwise", "Spin clockwise"]) == {0: 1, 1: 0}


def test_mirrored_labels_go_by_left_and_right():
    labels = [
        "Pushing something from left to right",
        "Holding something",
        "pushing something from right to left",
        "Turning Left",
        "Turning Right",
        "Moving right",
        "Making copyright leftovers",
    ]
    assert mirrored_labels(labels) == {0: 2, 2: 0, 3: 4, 4: 3}
    RandomFlip(label_map=mirrored_labels(labels))


def test_compose_passes_the_label_through(still):
    calls = []

    def brighten(clip, rng):
        calls.append(rng)
        return clip

    augment = Compose([RandomFlip(1.0, {0: 1, 1: 0}), brighten, RandomCrop(32)])
    rng = np.random.default_rng(0)
    clip, label = augment.call_with_label(still, 0, rng)
    assert clip.shape == (4, 32, 32, 3) and label == 1 and calls == [rng]
    first = augment(still, np.random.default_rng(5))
    second, _ = augment.call_with_label(still, 0, np.random.default_rng(5))
    assert np.array_equal(first, second)


def test_center_of_the_largest_multi_scale_crop(still):
    crop = MultiScaleCrop(72, scales=(1.0,), more_places=False)
    results = [crop(still, np.random.default_rng(seed)) for seed in range(30)]
    assert any(np.array_equal(result, center_crop(still, 72)) for result in results)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: RandomCrop(0), "Received: size=0"),
        (lambda: MultiScaleCrop(224.0), "Received: size=224.0"),
        (lambda: MultiScaleCrop(224, scales=(1.5,)), r"Received: scales=\(1.5,\)"),
        (lambda: MultiScaleCrop(224, interpolation="cubic"), "Received: interpolation='cubic'"),
        (lambda: RandomResizedCrop(224, scale=(0.5, 0.1)), r"Received: scale=\(0.5, 0.1\)"),
        (lambda: RandomResizedCrop(224, ratio=2), "Received: ratio=2"),
        (lambda: RandomFlip(1.5), "Received: probability=1.5"),
        (lambda: RandomFlip(label_map={1: 2}), r"Received: label_map=\{1: 2\}"),
        (lambda: Compose([3]), "Received: transforms with 3"),
        (lambda: RandomFlip()(np.zeros((8, 4, 4, 3), np.uint8)), "RandomFlip is random"),
        (lambda: RandomCrop(2)(np.zeros((4, 4, 3), np.uint8)), r"Received: shape=\(4, 4, 3\)"),
        (lambda: RandomCrop(2)(np.zeros((1, 4, 4, 3), np.int64)), "dtype=int64"),
    ],
)
def test_errors_say_what_was_received(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_keras_saves_compositions_with_their_label_maps():
    augment = Compose([RandomResizedCrop(32), RandomFlip(0.5, {3: 4, 4: 3})])
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(augment))
    assert loaded == augment
    assert loaded.transforms[1].label_map == ((3, 4), (4, 3))
