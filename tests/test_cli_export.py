"""`keras-video export` and `keras-video check-export`, on the bundled preset."""

import json

import pytest

from keras_video import cli_export
from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.export import formats
from keras_video.inference import ExportedModel

PRESET = "tsm_tiny_motion"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "left.mp4"
    write_video(path, render_motion_clip("moving left", 7, num_frames=30, size=96))
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exports") / "tsm"
    assert main(["export", "--preset", PRESET, "--format", "litert", "--out", str(directory)]) == 0
    return directory


def test_what_was_written_and_how_far_it_is_from_keras_is_printed(tmp_path, capsys):
    target = tmp_path / "tsm"
    arguments = ["--preset", PRESET, "--format", "openvino", "--precision", "float16"]
    assert main(["export", *arguments, "--out", str(target)]) == 0
    printed = capsys.readouterr().out
    assert f"{target}: TSM as openvino, float16, " in printed
    assert "openvino: differs from Keras by at most " in printed
    assert ExportedModel.read(target).preset == PRESET


def test_both_models_answers_are_shown(exported, clip, capsys):
    assert main(["check-export", str(exported), str(clip), "--top-k", "2"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "(litert)" in printed and printed.count("ms") == 2
    assert "The same best class in 1 of 1; probabilities differ by at most " in printed


def test_checks_are_json_and_videos_that_cannot_be_read_are_named(exported, clip, capsys):
    broken = clip.with_name("broken.mp4")
    broken.write_bytes(b"no video")
    arguments = [str(exported), str(clip), str(broken), "missing.mp4", "--json"]
    assert main(["check-export", *arguments]) == 1
    captured = capsys.readouterr()
    (record,) = map(json.loads, captured.out.splitlines())
    assert record["same_best"] and record["exported"][0]["label"] == "moving left"
    assert "broken.mp4" in captured.err and "missing.mp4" in captured.err


def test_int8_is_fitted_to_videos(clip, tmp_path, capsys):
    arguments = ["--preset", PRESET, "--format", "onnx", "--precision", "int8"]
    assert main(["export", *arguments, "--out", str(tmp_path / "tsm")]) == 2
    assert "int8 needs `calibration`" in capsys.readouterr().err
    calibration = ["--calibration", str(clip.parent / "left*"), "--num-calibration", "2"]
    assert main(["export", *arguments, *calibration, "--out", str(tmp_path / "tsm")]) == 0
    assert "The best class is the original's on 100.0% of the samples" in capsys.readouterr().out


def test_the_command_knows_every_format_and_precision():
    assert set(cli_export.FORMATS) == set(formats.FORMATS)
    assert cli_export.PRECISIONS == formats.PRECISIONS
