"""The benchmark of decoding runs, whatever it measures."""

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[1] / "tools" / "benchmark.py"


@pytest.mark.slow
def test_the_benchmark_runs_on_a_video_of_ones_own(tmp_path):
    from keras_video.data import render_motion_clip, write_video

    path = tmp_path / "clip.mp4"
    write_video(path, render_motion_clip("moving left", 0, 24, 96), fps=25)
    done = subprocess.run(
        [sys.executable, TOOL, "data", f"--videos={path}", "--rounds=1", "--samples=100"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for row in ("open_video", "VideoDataset", "GOP 12", "JPEG", "with two:", "Memory:"):
        assert row in done.stdout
