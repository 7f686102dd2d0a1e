"""What a run leaves behind can be read and drawn without loading a framework."""

import subprocess
import sys

REPORT = """
import sys
from keras_video.training import CheckpointStore, CsvLog, NonFiniteLossError, RunDirectory
from keras_video.training import TensorBoardLog, Termination, ThroughputMeter, TrainingProgress
from keras_video.training import plots
print(*sys.modules)
"""


def test_run_management_imports_no_framework():
    command = [sys.executable, "-c", REPORT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    modules = set(done.stdout.split())
    assert "keras_video.training.checkpoint_store" in modules
    assert not modules & {"tensorflow", "keras", "jax", "torch", "matplotlib", "av"}
