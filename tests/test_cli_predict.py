"""`keras-video predict` with exported models, and by windows."""

import json

import numpy as np
import pytest

from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.export import export_model

PRESET = ["--preset", "tsm_tiny_motion"]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Four seconds: a shape moves left, then right."""
    path = tmp_path_factory.mktemp("videos") / "left_right.mp4"
    clips = [render_motion_clip(label, 3, 50, 96) for label in ("moving left", "moving right")]
    write_video(path, np.concatenate(clips))
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "tsm"
    export_model("tsm_tiny_motion", folder, "onnx")
    return folder


def predict(capsys, *arguments):
    code = main(["predict", *map(str, arguments)])
    return code, capsys.readouterr()


def test_windows_say_what_happens_when(video, capsys):
    code, said = predict(capsys, video, *PRESET, "--windows", 2, "--hop", 1.5, "--json")
    assert code == 0
    result = json.loads(said.out)
    assert result["path"] == str(video)
    spans = [(window["start"], window["end"]) for window in result["windows"]]
    assert spans == [(0, 2), (1.5, 3.5), (2, 4)]
    best = [window["predictions"][0]["label"] for window in result["windows"]]
    assert (best[0], best[2]) == ("moving left", "moving right")
    assert "predictions" not in result


def test_people_get_a_line_for_each_window(video, tmp_path, capsys):
    bad = tmp_path / "bad.mp4"
    bad.touch()
    code, said = predict(capsys, video, bad, *PRESET, "--windows", 2)
    assert code == 1
    lines = [line for line in said.out.splitlines() if "%" in line]
    assert len(lines) == 3
    assert "0.0 s" in lines[0] and "2.0 s" in lines[0] and "moving left" in lines[0]
    assert f"keras-video: error: {bad}: the file is empty" in said.err


def test_results_never_overwrite_a_video(video, tmp_path, capsys):
    link = tmp_path / "link.mp4"
    link.symlink_to(video)
    size = video.stat().st_size
    for output in (video, link):
        code, said = predict(capsys, video, *PRESET, "--output", output)
        assert code == 2 and f"Received: --output {output}" in said.err
    assert video.stat().st_size == size


@pytest.mark.slow
def test_an_exported_model_gives_the_same_answers(video, exported, capsys):
    _, said = predict(capsys, video, *PRESET, "--json")
    expected = json.loads(said.out)["predictions"]
    for runtime in ([], ["--runtime", "openvino"]):
        code, said = predict(capsys, video, "--model", exported, *runtime, "--json")
        assert code == 0
        found = json.loads(said.out)["predictions"]
        assert [each["label"] for each in found] == [each["label"] for each in expected]
        np.testing.assert_allclose(
            [each["score"] for each in found], [each["score"] for each in expected], atol=1e-4
        )
    flags = ["--windows", 2, "--decoder", "pyav", "--json"]
    _, said = predict(capsys, video, "--model", exported, *flags)
    assert len(json.loads(said.out)["windows"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hop", "2"], "Received: --hop 2 without it"),
        (["--runtime", "openvino"], "Received: --runtime openvino without --model"),
        (["--model", "no such directory"], "no directory that `keras-video export` wrote"),
        ([*PRESET, "--model", "x"], "not allowed with argument"),
        (["--windows", "0"], "must be a number above 0. Received: 0"),
        (["--windows", "soon"], "must be a number above 0. Received: soon"),
        (["--runtime", "caffe"], "invalid choice: 'caffe'"),
    ],
)
def test_nonsense_is_refused_in_a_line(video, arguments, message, capsys):
    try:
        code = main(["predict", str(video), *arguments])
    except SystemExit as exit:
        code = exit.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert message in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_a_runtime_that_does_not_read_the_format_is_refused(video, exported, capsys):
    code, said = predict(capsys, video, "--model", exported, "--runtime", "litert")
    assert code == 2
    assert "litert does not run onnx" in said.err
    assert said.err.count("\n") == 1
