import json

import pytest

from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.inference import RuntimeEntry, compare_runtimes


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "up.mp4"
    write_video(path, render_motion_clip("moving up", seed=5, num_frames=20, size=64))
    return path


@pytest.mark.slow
def test_stages_are_measured_and_failures_are_told(video):
    entries = [RuntimeEntry("tsm_tiny_motion", "keras"), RuntimeEntry("missing", "keras")]
    works, fails = compare_runtimes(entries, video, rounds=2, threads=1)
    assert works.error is None and works.views == 1
    assert all(0 < stage < 5 for stage in (works.decode, works.preprocess, works.network))
    assert works.total == works.decode + works.preprocess + works.network
    assert "Unknown preset" in fails.error
    assert "\n" not in fails.error


@pytest.mark.slow
def test_the_command_measures_what_it_exported(video, capsys):
    arguments = ["--runtimes", "onnxruntime,openvino:bfloat16", "--rounds", "2", "--json"]
    assert main(["benchmark", "--video", str(video), *arguments]) == 0
    onnx, openvino = map(json.loads, capsys.readouterr().out.splitlines())
    assert (onnx["runtime"], onnx["precision"]) == ("onnxruntime", "float32")
    assert (openvino["runtime"], openvino["precision"]) == ("openvino", "bfloat16")
    assert onnx["total"] > onnx["network"] > 0


def test_the_command_refuses_unknown_runtimes(capsys):
    assert main(["benchmark", "--runtimes", "keras,caffe"]) == 2
    assert "Received: --runtimes keras,caffe" in capsys.readouterr().err
