"""`WarmupCosine`: a linear warm-up, then half a cosine down to zero."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that grows in equal steps, then falls like half a cosine.

    The cosine spans all epochs, `base / 2 * (1 + cos(pi * epoch / num_epochs))`; during the
    warm-up a straight line from `warmup_start` to the cosine's value at its end (which is below
    `base`) takes its place. After the last epoch the rate is 0. Epochs count in fractions, so the
    rate changes with every step.

    Args:
        base: the rate that the cosine falls from.
        num_epochs: epochs until it is 0.
        steps_per_epoch: optimizer steps in an epoch.
        warmup_epochs: length of the warm-up, below `num_epochs`. Defaults to 0.
        warmup_start: rate of the first step of the warm-up. Defaults to 0.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> schedule = keras_video.training.WarmupCosine(
    ...     0.01, num_epochs=80, steps_per_epoch=1875, warmup_epochs=10, warmup_start=0.005)
    >>> round(float(schedule(0)), 6), round(float(schedule(40 * 1875)), 6)
    (0.005, 0.005)

    Reference: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983, with the warm-up of
    SlowFast, https://arxiv.org/abs/1812.03982
    """

    def __init__(
        self,
        base: float,
        num_epochs: float,
        steps_per_epoch: int,
        warmup_epochs: float = 0,
        warmup_start: float = 0.0,
    ):
        check_schedule(steps_per_epoch, warmup_epochs, warmup_start)
        if base < 0:
            raise ValueError(f"`base` must not be negative. Received: base={base}")
        if not warmup_epochs < num_epochs:
            raise ValueError(
                "`num_epochs` must be more than `warmup_epochs`. "
                f"Received: num_epochs={num_epochs}, warmup_epochs={warmup_epochs}"
            )
        self.base = base
        self.num_epochs = num_epochs
        self.steps_per_epoch = steps_per_epoch
        self.warmup_epochs = warmup_epochs
        self.warmup_start = warmup_start

    def __call__(self, step):
        step = ops.cast(step, "int32")
        total = round(self.num_epochs * self.steps_per_epoch)
        # (1 + cos x) / 2 is the squared sine of half of what is left to pi. Counted from the end,
        # in whole steps, the small rates of the last epochs keep all their digits in float32.
        left = ops.cast(ops.maximum(total - step, 0), "float32")
        rate = self.base * ops.square(ops.sin(left * (math.pi / 2 / total)))
        end = self.base * (1 + math.cos(math.pi * self.warmup_epochs / self.num_epochs)) / 2
        return warmed_up(
            step,
            rate,
            steps=self.warmup_epochs * self.steps_per_epoch,
            start=self.warmup_start,
            end=end,
        )

    def get_config(self):
        return {
            "base": self.base,
            "num_epochs": self.num_epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "warmup_epochs": self.warmup_epochs,
            "warmup_start": self.warmup_start,
        }


def warmed_up(step, rate, *, steps: float, start: float, end: float):
    """Returns `rate`, but on the straight line from `start` to `end` before `steps`."""
    if not steps:
        return rate
    passed = ops.cast(step, "float32")
    return ops.where(passed < steps, start + (end - start) / steps * passed, rate)


def check_schedule(steps_per_epoch: int, warmup_epochs: float, warmup_start: float) -> None:
    """Checks the arguments that all schedules have.

    Raises:
        ValueError: one is out of range.
    """
    if not isinstance(steps_per_epoch, int) or steps_per_epoch < 1:
        raise ValueError(
            "`steps_per_epoch` must be a positive integer. "
            f"Received: steps_per_epoch={steps_per_epoch!r}"
        )
    for name, value in (("warmup_epochs", warmup_epochs), ("warmup_start", warmup_start)):
        if value < 0:
            raise ValueError(f"`{name}` must not be negative. Received: {name}={value}")
