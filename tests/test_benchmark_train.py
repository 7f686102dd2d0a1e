"""The benchmark of training runs, and measures the same network in torch."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[1] / "tools" / "benchmark.py"


@pytest.mark.slow
def test_the_benchmark_of_training_prints_and_saves_ratios_to_torch(tmp_path):
    flags = ["--size=32", "--rounds=1", "--dtypes=bfloat16", "--torch=eager"]
    saving = [f"--save={tmp_path / 'train.json'}", "--title=Training"]
    command = [sys.executable, TOOL, "train", "tsm", *flags, *saving]
    done = subprocess.run(command, capture_output=True)
    output = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert "Left out" not in done.stderr.decode()
    rows = [
        re.split(r"\s*[│┃]\s*", line)[1:-1] for line in output.splitlines() if "bfloat16" in line
    ]
    assert [row[:2] for row in rows] == [
        ["bfloat16", "keras tensorflow"],
        ["bfloat16", "torch eager"],
    ]
    for row in rows:
        assert all(float(number) > 0 for number in row[2:])
    assert rows[1][-2:] == ["1.00", "1.00"]
    saved = json.loads((tmp_path / "train.json").read_text())
    assert saved["title"] == "Training"
    assert saved["command"] == f"python tools/benchmark.py train tsm {' '.join(flags)}"
    (table,) = saved["tables"]
    assert table["rows"] == rows
    assert table["columns"][0] == "precision"
