"""Rendered videos in a folder for each class, from Python and from the command line."""

import numpy as np
import pytest

from keras_video.cli import main
from keras_video.data import MOTION_CLASSES, VideoList, open_video, write_motion_videos

SMALL = {"num_frames": 8, "size": 32}


def test_every_class_has_its_share(tmp_path):
    assert write_motion_videos(tmp_path / "new" / "set", 16, **SMALL) == MOTION_CLASSES
    found = VideoList.from_folder(tmp_path / "new" / "set")
    assert sorted(found.labels) == sorted(MOTION_CLASSES)
    assert np.bincount([record.label for record in found]).tolist() == [2] * 8


def test_the_directions_of_a_motion_can_be_one_class(tmp_path):
    names = write_motion_videos(tmp_path, 8, pairs=True, **SMALL)
    assert [len(list((tmp_path / name).iterdir())) for name in names] == [2] * 4


def test_seeds_have_different_clips_and_a_seed_always_the_same(tmp_path):
    def first(name, seed):
        write_motion_videos(tmp_path / name, 8, seed, **SMALL)
        return (tmp_path / name / "moving left" / "0000.mp4").read_bytes()

    assert first("a", 0) == first("b", 0) != first("c", 1)


def test_the_command_renders_what_the_other_commands_read(tmp_path, capsys):
    folder = tmp_path / "videos"
    assert main(["dataset", "render", str(folder), "--videos", "9", "--pairs"]) == 0
    assert capsys.readouterr().out == f"9 videos of 4 classes: {folder}\n"
    with open_video(folder / "sideways" / "0008.mp4") as video:
        assert (len(video), video.height, video.width) == (24, 112, 112)


@pytest.mark.parametrize(("num_videos", "seed"), [(7, 0), (10**6 + 1, 0), (8, -1)])
def test_what_cannot_be_written_is_refused(tmp_path, num_videos, seed):
    with pytest.raises(ValueError, match=f"Received: num_videos={num_videos}, seed={seed}"):
        write_motion_videos(tmp_path / "none", num_videos, seed)
    assert not (tmp_path / "none").exists()
