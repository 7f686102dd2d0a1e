import json

import numpy as np
import pytest

from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.features import FeatureIndex

PRESET = "tsm_tiny_motion"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two good videos, one in a folder, and a bad one."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "good").mkdir()
    write_video(folder / "good" / "a.mp4", render_motion_clip("moving left", 1, 30, 72), fps=10)
    write_video(folder / "b.mkv", render_motion_clip("zooming in", 2, 20, 72), fps=10)
    (folder / "empty.mp4").touch()
    return folder


def run(*arguments):
    return main(["features", *map(str, arguments), "--preset", PRESET])


def test_features_of_a_folder_and_again(videos, tmp_path, capsys):
    assert run(videos, "--out", tmp_path / "out", "--fps", "2", "--dtype", "float16") == 1
    out, err = capsys.readouterr()
    assert "empty.mp4: the file is empty (0 bytes)" in err and "1 of 3 videos failed" in err
    assert "2 videos, 10 steps" in out and "frames/s" in out and "is the limit" in out
    index = FeatureIndex(tmp_path / "out")
    assert [(entry.video, entry.steps) for entry in index] == [("b.mkv", 4), ("good/a.mp4", 6)]
    assert index[0].features.dtype == np.float16
    assert run(videos, "--out", tmp_path / "out", "--fps", "2", "--dtype", "float16") == 1
    assert "0 videos, 0 steps, 2 were there" in capsys.readouterr().out


def test_other_settings_need_another_folder_or_again(videos, tmp_path, capsys):
    arguments = (videos / "b.mkv", "--out", tmp_path / "out")
    assert run(*arguments, "--frames", "3") == 0
    assert run(*arguments, "--stride", "7") == 2
    assert "another `steps`: {'frames': 3}" in capsys.readouterr().err
    assert run(*arguments, "--stride", "7", "--again", "--json", "--workers", "1") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["videos"], report["extracted"], report["steps"]) == (1, 1, 3)
    assert report["bound"] in ("network", "decoding") and report["frames_per_second"] > 0


def test_what_is_missing_is_named_and_the_rest_is_done(videos, tmp_path, capsys):
    assert run(tmp_path / "none", videos / "b.mkv", "--out", tmp_path / "out") == 1
    assert "none: no such file or folder" in capsys.readouterr().err
    assert len(FeatureIndex(tmp_path / "out")) == 1
    assert run(tmp_path / "none", "--out", tmp_path / "other") == 1
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--frames", "3", "--fps", "2"], "not allowed with"),
        (["--fps", "0"], "must be a number above 0"),
        (["--stride", "-1"], "must be a whole number from 1"),
        (["--dtype", "int8"], "invalid choice"),
    ],
)
def test_arguments_are_checked_before_anything_is_loaded(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        run("clip.mp4", "--out", "out", *arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["features", "--help"])
    help = " ".join(capsys.readouterr().out.split())
    assert "keras-video features videos/ --preset tsn_k400 --frames 300 --out feats/" in help
