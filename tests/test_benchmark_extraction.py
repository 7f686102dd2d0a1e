"""The benchmark of feature extraction runs, whatever it measures."""

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[1] / "tools" / "benchmark.py"


@pytest.mark.slow
def test_the_benchmark_runs_on_a_video_of_ones_own(tmp_path):
    from keras_video.data import render_motion_clip, write_video

    path = tmp_path / "clip.mp4"
    write_video(path, render_motion_clip("moving left", 0, 8, 96), fps=25)
    arguments = ["extraction", "tsn", f"--videos={path}", "--dtypes=float32", "--rounds=1"]
    done = subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for row in ("extractor", "decoding alone", "network alone", "torch decord", "torch OpenCV"):
        assert row in done.stdout
