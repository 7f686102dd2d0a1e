"""Set-up for all tests: quiet TensorFlow, no network, no state in the user's home."""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# XLA may cluster on CPUs, where a test asks for it with `tf.config.optimizer.set_jit`.
os.environ.setdefault("TF_XLA_FLAGS", "--tf_xla_cpu_global_jit")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"

# Helpers of the tests import each other by their plain names.
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import pytest  # noqa: E402


def pytest_xdist_auto_num_workers(config):
    """Two processes for the whole suite; for a part of it, and on one core, this one."""
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    return 2 if whole and (os.cpu_count() or 1) > 1 else 0


@pytest.fixture(scope="session", autouse=True)
def two_logical_cpus():
    """Two logical CPUs for the tests of two replicas; TensorFlow takes them only at its start."""
    from keras_video.testing.two_replicas import two_logical_cpus

    two_logical_cpus()


@pytest.fixture(scope="session")
def two_replicas():
    """A strategy of two replicas, the same one for all tests."""
    from keras_video.testing import two_replicas

    return two_replicas()
