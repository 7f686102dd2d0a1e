"""Runs of `SGD` whose results the reference recorded in golden/ops/optimizers.npz.

`python sgd_cases.py OUT.npz` runs them on the backend of KERAS_BACKEND.
"""

import pathlib
import sys

import keras
import numpy as np

from keras_video.training import SGD, Piecewise, WarmupCosine

GOLDEN = dict(np.load(pathlib.Path(__file__).parent.parent / "golden" / "ops" / "optimizers.npz"))

FASTER_SECOND = {"rules": [("second", 5, 1)]}
CASES = {
    "opt_momentum_l2_1e-2_lrmult1_5": FASTER_SECOND,
    "opt_momentum_nesterov_l2_1e-2_lrmult1_5": {"nesterov": True, **FASTER_SECOND},
    "opt_momentum_nesterov_l2_1e-2_second_param_L2Decay0": {
        "nesterov": True,
        "rules": [("second", 5, 0), ("second", 1, 1)],
    },
    "opt_momentum_l2_1e-2_clip_global_norm_1": {"global_clipnorm": 1.0, **FASTER_SECOND},
}


def make_variables() -> list[keras.Variable]:
    first, second = GOLDEN["opt_init"]
    return [keras.Variable(first, name="first"), keras.Variable(second, name="second")]


def run(case: str, learning_rate=0.1) -> np.ndarray:
    """The two parameters after each of six steps."""
    variables = make_variables()
    optimizer = SGD(learning_rate, l2=1e-2, **CASES[case])
    steps = []
    for gradients in GOLDEN["opt_grads"]:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        steps.append([keras.ops.convert_to_numpy(v.value) for v in variables])
    return np.array(steps)


def rates() -> np.ndarray:
    """Learning rates of two schedules at some steps."""
    schedules = (
        WarmupCosine(0.01, 80, 1000, warmup_epochs=10, warmup_start=0.005),
        Piecewise([20, 40], [0.02, 0.002, 0.0002], 1000),
    )
    steps = (0, 5000, 10_000, 20_000, 79_999, 80_001)
    return np.array([[float(schedule(step)) for step in steps] for schedule in schedules])


def main(path: str) -> None:
    if keras.backend.backend() == "torch":
        import torch

        torch.set_grad_enabled(False)  # As Keras' trainer does around `apply`.
    np.savez(path, rates=rates(), **{case: run(case) for case in CASES})


if __name__ == "__main__":
    main(sys.argv[1])
