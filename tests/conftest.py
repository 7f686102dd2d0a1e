"""Set-up for all tests: quiet TensorFlow, no network, no state in the user's home."""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"

# Helpers of the tests import each other by their plain names.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
