import numpy as np
import pytest

from keras_video.data.motion_clips import MOTION_CLASSES, opposite_motion, render_motion_clip

SEEDS = range(12)


def moving_pixels(clip):
    """For each frame, the pixels that differ from the clip's median frame."""
    difference = np.abs(clip.astype("int16") - np.median(clip, axis=0).astype("int16"))
    return difference.sum(axis=-1) > 60


def centres(clip):
    """Centre (x, y) of what moves, at the start and at the end."""
    masks = moving_pixels(clip)
    found = []
    for mask in (masks[0], masks[-1]):
        rows, columns = np.nonzero(mask)
        found.append((columns.mean(), rows.mean()))
    return np.array(found)


@pytest.mark.parametrize("label", MOTION_CLASSES)
def test_a_clip_backwards_is_exactly_a_clip_of_the_opposite_class(label):
    for seed in SEEDS:
        clip = render_motion_clip(label, seed, num_frames=8, size=48)
        opposite = render_motion_clip(opposite_motion(label), seed, num_frames=8, size=48)
        np.testing.assert_array_equal(clip[::-1], opposite)
        assert not np.array_equal(clip, opposite)


def test_every_class_has_another_one_as_its_opposite():
    for label in MOTION_CLASSES:
        assert opposite_motion(label) != label
        assert opposite_motion(opposite_motion(label)) == label
    assert opposite_motion("moving left") == "moving right"
    assert opposite_motion("moving up") == "moving down"
    assert opposite_motion("rotating clockwise") == "rotating counterclockwise"
    assert opposite_motion("zooming in") == "zooming out"


def test_clips_depend_on_the_label_and_the_seed_only():
    first = render_motion_clip("zooming in", 5, num_frames=4, size=32)
    np.testing.assert_array_equal(first, render_motion_clip("zooming in", 5, 4, 32))
    assert not np.array_equal(first, render_motion_clip("zooming in", 6, 4, 32))
    assert not np.array_equal(first, render_motion_clip("moving up", 5, 4, 32))


def test_more_frames_show_the_same_scene():
    few = render_motion_clip("moving left", 3, num_frames=3, size=64).astype("int16")
    many = render_motion_clip("moving left", 3, num_frames=9, size=64).astype("int16")
    # Noise and flicker differ between the two, the scene does not.
    assert np.abs(few[[0, 1, 2]] - many[[0, 4, 8]]).mean() < 12


@pytest.mark.parametrize(("num_frames", "size"), [(2, 16), (16, 112), (5, 33)])
def test_clips_have_the_size_asked_for(num_frames, size):
    clip = render_motion_clip("moving down", 0, num_frames=num_frames, size=size)
    assert clip.shape == (num_frames, size, size, 3)
    assert clip.dtype == np.uint8
    assert clip.flags.c_contiguous


@pytest.mark.parametrize(
    ("label", "axis", "sign"),
    [
        ("moving left", 0, -1),
        ("moving right", 0, 1),
        ("moving up", 1, -1),
        ("moving down", 1, 1),
    ],
)
def test_moving_shapes_go_where_the_label_says(label, axis, sign):
    for seed in SEEDS:
        start, end = centres(render_motion_clip(label, seed, num_frames=9, size=96))
        travel = (end - start) / 96
        assert sign * travel[axis] > 0.15
        assert abs(travel[1 - axis]) < 0.12


def test_shapes_that_zoom_in_grow():
    grown = []
    for seed in SEEDS:
        clip = render_motion_clip("zooming in", seed, num_frames=9, size=96)
        # Against the background, which the last frame hides most of: compare the gradients.
        edges = np.abs(np.diff(clip.astype("int16"), axis=2)).sum(axis=-1) > 60
        grown.append(edges[-1].sum() / max(edges[0].sum(), 1))
    assert np.median(grown) > 1.2


def test_clockwise_is_clockwise_for_the_viewer():
    """The rotation that best maps a frame onto the next has the sign that the label says."""
    from PIL import Image

    def turned(frame, degrees, centre):
        picture = Image.fromarray(frame).rotate(degrees, Image.Resampling.BILINEAR, center=centre)
        return np.asarray(picture).astype("int16")

    votes = []
    for seed in SEEDS:
        clip = render_motion_clip("rotating clockwise", seed, num_frames=9, size=96)
        mask = np.abs(np.diff(clip.astype("int16"), axis=0)).sum(axis=(0, -1)) > 200
        rows, columns = np.nonzero(mask)
        centre = (columns.mean(), rows.mean())
        # Pillow's positive angles turn counterclockwise.
        errors = {
            degrees: np.abs(turned(clip[3], degrees, centre) - clip[4])[mask].mean()
            for degrees in (-25, 25)
        }
        votes.append(errors[-25] < errors[25])
    assert np.mean(votes) > 0.8


@pytest.mark.parametrize("label", MOTION_CLASSES[::2])
def test_the_shape_is_inside_the_picture_in_every_frame(label):
    for seed in SEEDS:
        clip = render_motion_clip(label, seed, num_frames=9, size=64).astype("int16")
        # Only the moving shape changes pixels by more than noise and flicker can.
        changed = np.abs(clip - np.roll(clip, 4, axis=0)).sum(axis=-1) > 100
        assert changed.any(axis=(1, 2)).all()
        border = np.concatenate(
            [changed[:, 0], changed[:, -1], changed[:, :, 0], changed[:, :, -1]]
        )
        assert not border.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "moving sideways"}, "must be one of.*Received: label='moving sideways'"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"num_frames": 1}, "Received: num_frames=1"),
        ({"size": 8}, "Received: size=8"),
    ],
)
def test_impossible_clips_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        render_motion_clip(**{"label": "moving left", "seed": 0, **arguments})
