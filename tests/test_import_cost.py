"""`import keras_video` is nearly free: what is heavy is imported when it is used."""

import json
import statistics
import subprocess
import sys

import pytest

REPORT = """
import json, sys, time
start = time.perf_counter()
import {package}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(sys.modules)]))
"""


def measure(package):
    """Imports a package in a new process; returns the seconds and the names of all modules."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(package=package)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_import_costs_no_more_than_that_of_keras():
    ours = statistics.median(measure("keras_video")[0] for _ in range(3))
    keras = statistics.median(measure("keras")[0] for _ in range(3))
    assert ours <= 1.1 * keras


@pytest.mark.parametrize(
    "package",
    [
        "keras_video",
        *(f"keras_video.{name}" for name in ("layers", "models", "presets", "testing")),
    ],
)
def test_packages_import_nothing_heavy(package):
    modules = set(measure(package)[1])
    assert "keras_video" in modules
    assert not modules & {"keras", "tensorflow", "jax", "torch", "numpy", "av", "huggingface_hub"}


def test_names_of_presets_cost_no_framework():
    modules = set(measure("keras_video; keras_video.list_presets()")[1])
    assert "keras_video.models.tsm.tsm_presets" in modules
    assert not modules & {"keras", "tensorflow", "jax", "torch", "huggingface_hub"}
