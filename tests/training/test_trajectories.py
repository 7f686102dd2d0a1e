"""One device, two replicas and two workers train alike: the same losses, step for step."""

import json

import numpy as np
import pytest
import tensorflow as tf
from training.trajectories import CASES, pathways_trajectory, trajectory
from training.workers import start_workers


@pytest.fixture(scope="module")
def one_device():
    """The losses of one device in every case."""
    return [trajectory(tf.distribute.get_strategy(), *case) for case in CASES]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case in CASES])
def test_two_replicas_train_like_one_device(number, one_device, two_replicas):
    np.testing.assert_allclose(
        trajectory(two_replicas, *CASES[number]), one_device[number], rtol=1e-4
    )


@pytest.fixture(scope="module")
def pathways_losses():
    """The losses of two pathways on one device, with a step in two sub-batches."""
    losses = pathways_trajectory(tf.distribute.get_strategy())
    assert len(set(losses)) == len(losses) == 3
    return losses


@pytest.mark.slow
def test_pathways_and_sub_batches_train_alike_on_two_replicas(pathways_losses, two_replicas):
    np.testing.assert_allclose(pathways_trajectory(two_replicas), pathways_losses, rtol=1e-4)


@pytest.mark.slow
def test_two_workers_train_like_one_device(one_device, pathways_losses):
    with start_workers("trajectories.py") as workers:
        outputs = workers.wait()
    for output in outputs:
        for word, expected in (("LOSSES", one_device), ("PATHWAYS", pathways_losses)):
            (line,) = [line for line in output.splitlines() if line.startswith(word)]
            losses = json.loads(line.removeprefix(word))
            np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_xla_and_no_xla_train_alike(one_device):
    losses = dict(zip(CASES, one_device, strict=True))
    for (precision, xla, accumulate), values in losses.items():
        if precision == "float32":
            np.testing.assert_allclose(values, losses[precision, not xla, accumulate], rtol=1e-4)
