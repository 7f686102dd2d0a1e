import json
import sys

import pytest
from colour_model import write_colour_model

from keras_video.cli import main
from keras_video.data import render_motion_clip, write_video
from keras_video.inference import RuntimeEntry, compare_runtimes
from keras_video.inference.contestant import Contestant


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "up.mp4"
    write_video(path, render_motion_clip("moving up", seed=5, num_frames=20, size=64))
    return path


def test_stages_are_measured_and_failures_are_told(video, tmp_path):
    model, damaged = (write_colour_model(tmp_path / name) for name in ("good", "damaged"))
    (damaged / "model.onnx").write_bytes(b"nothing")
    entries = [RuntimeEntry(folder, "onnxruntime") for folder in (model, damaged, model)]
    works, fails, again = compare_runtimes(entries, video, rounds=2, threads=1)
    assert works.error is None and works.views == 1 and works == again
    assert all(0 < stage < 5 for stage in (works.decode, works.preprocess, works.network))
    assert works.total == works.decode + works.preprocess + works.network
    assert "ONNX Runtime refuses the file" in fails.error
    assert "\n" not in fails.error


def contestant(code):
    return Contestant([sys.executable, "-c", code], "it", threads=1)


def test_a_contestant_may_say_much():
    it = contestant(
        "import sys\n"
        "print('{}', flush=True)\n"
        "for line in sys.stdin: sys.stderr.write('x' * 10**6); print('{}', flush=True)\n"
    )
    it.wait_until_warm()
    assert it.run() == {}
    it.close()


@pytest.mark.parametrize(
    "end, said", [("sys.exit('no memory')", "no memory"), ("os._exit(7)", "exit code 7")]
)
def test_a_contestant_that_ends_says_why(end, said):
    it = contestant(f"import os, sys; print('{{}}', flush=True); input(); {end}")
    it.wait_until_warm()
    for _ in range(2):  # Also when it is gone already.
        with pytest.raises(RuntimeError, match=f"it failed: {said}"):
            it.run()
    it.close()


@pytest.mark.slow
def test_the_command_measures_what_it_exported(video, capsys):
    arguments = ["--runtimes", "onnxruntime,openvino:bfloat16", "--rounds", "2", "--json"]
    arguments += ["--preset", "tsm_tiny_motion"]
    assert main(["benchmark", "--video", str(video), *arguments]) == 0
    onnx, openvino = map(json.loads, capsys.readouterr().out.splitlines())
    assert (onnx["runtime"], onnx["precision"]) == ("onnxruntime", "float32")
    assert (openvino["runtime"], openvino["precision"]) == ("openvino", "bfloat16")
    assert onnx["total"] > onnx["network"] > 0


def test_the_command_refuses_a_video_that_is_none_before_it_exports(tmp_path, capsys):
    assert main(["benchmark", "--video", str(tmp_path / "none.mp4")]) == 2
    error = capsys.readouterr().err
    assert "none.mp4" in error and len(error.splitlines()) == 1


def test_the_command_refuses_unknown_runtimes(capsys):
    assert main(["benchmark", "--runtimes", "keras,caffe"]) == 2
    assert "Received: --runtimes keras,caffe" in capsys.readouterr().err


def test_a_preset_that_does_not_load_is_told_once(video, capsys):
    assert main(["benchmark", "--preset", "missing", "--video", str(video)]) == 2
    said = capsys.readouterr().err
    assert said.count("Unknown preset") == 1 and "left out" not in said
