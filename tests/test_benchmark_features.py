"""The benchmark of stored features runs, whatever it measures."""

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[1] / "tools" / "benchmark.py"


@pytest.mark.slow
def test_the_benchmark_reads_shards_in_three_ways():
    done = subprocess.run(
        [sys.executable, TOOL, "features", "--records=128", "--rounds=1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for row in ("FeatureDataset", "padded_batch", "bucketed"):
        assert row in done.stdout
