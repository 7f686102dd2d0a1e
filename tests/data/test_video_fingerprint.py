import numpy as np
import pytest

from keras_video.data import MOTION_CLASSES, open_video, render_motion_clip, write_video
from keras_video.data.reencoding import reencode_video
from keras_video.data.video_fingerprint import (
    FingerprintIndex,
    fingerprint_indices,
    fingerprint_thumbnail,
)


def fingerprint(source):
    if isinstance(source, np.ndarray):
        frames = source[fingerprint_indices(len(source))]
        return np.stack([fingerprint_thumbnail(frame) for frame in frames])
    with open_video(source) as video:
        return video.get_frames(fingerprint_indices(len(video)), transform=fingerprint_thumbnail)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("original") / "original.mp4"
    write_video(path, render_motion_clip("moving left", 5, 40, 128))
    return path


@pytest.mark.parametrize(
    "options",
    [{"gop": 12}, {"gop": 1, "crf": 28}, {"gop": 250, "short_side": 96, "crf": 24}],
)
def test_a_copy_encoded_again_is_recognised(original, options, tmp_path):
    reencode_video(original, tmp_path / "copy.mkv", **options)
    index = FingerprintIndex()
    assert index.add("original", fingerprint(original)) is None
    assert index.add("copy", fingerprint(tmp_path / "copy.mkv")) == "original"


def test_a_copy_names_the_first(original):
    index = FingerprintIndex()
    index.add("other", fingerprint(render_motion_clip("zooming in", 1, 40, 128)))
    index.add("first", fingerprint(original))
    assert index.add("second", fingerprint(original)) == "first"
    assert index.add("third", fingerprint(original)) == "first"


def test_other_scenes_and_reversed_clips_are_no_copies():
    index = FingerprintIndex()
    for seed in range(20):
        for label in MOTION_CLASSES:
            clip = render_motion_clip(label, seed, 16, 64)
            assert index.add((label, seed), fingerprint(clip)) is None


def test_a_small_movement_in_a_still_scene_is_told_from_another():
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(40, 200, (8, 8, 3)), np.ones((16, 16, 1))).astype("uint8")

    def walk(rows):
        clip = np.stack([scene] * len(rows))
        for frame, row in zip(clip, rows, strict=True):
            frame[row : row + 24, 40:64] = 255
        return clip

    down, up = walk(range(0, 96, 6)), walk(range(90, -1, -6))
    index = FingerprintIndex()
    assert index.add("down", fingerprint(down)) is None
    assert index.add("up", fingerprint(up)) is None
    assert index.add("down again", fingerprint(down)) == "down"


def test_plain_pictures_of_other_brightness_are_no_copies():
    index = FingerprintIndex()
    for level in (0, 40, 128, 255):
        clip = np.full((9, 32, 32, 3), level, "uint8")
        assert index.add(level, fingerprint(clip)) is None
        assert index.add("again", fingerprint(clip)) == level
