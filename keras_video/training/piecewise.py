"""`Piecewise`: constant learning rates between epochs, with an optional warm-up."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_video.training.warmup_cosine import check_schedule, warmed_up


@keras.saving.register_keras_serializable(package="keras_video")
class Piecewise(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rates that change at given epochs.

    With a warm-up, the rate first grows in equal steps from `warmup_start` to the value that holds
    at its end.

    Args:
        boundaries: epochs at which the rate changes, growing; fractions are rounded to steps.
        values: the rates, one more than boundaries.
        steps_per_epoch: optimizer steps in an epoch.
        warmup_epochs: length of the warm-up. Defaults to 0.
        warmup_start: rate of the first step of the warm-up. Defaults to 0.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> schedule = keras_video.training.Piecewise([20, 40], [0.02, 0.002, 0.0002], 100)
    >>> [float(schedule(step)) for step in (0, 1999, 2000)]
    [0.02, 0.02, 0.002]

    Reference: the training of TSM, https://arxiv.org/abs/1811.08383, and of SlowFast (warm-up),
    https://arxiv.org/abs/1812.03982
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        steps_per_epoch: int,
        warmup_epochs: float = 0,
        warmup_start: float = 0.0,
    ):
        check_schedule(steps_per_epoch, warmup_epochs, warmup_start)
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                "`values` must have one entry more than `boundaries`. "
                f"Received: boundaries={list(boundaries)}, values={list(values)}"
            )
        if list(boundaries) != sorted(set(boundaries)) or any(b <= 0 for b in boundaries):
            raise ValueError(
                "`boundaries` must be positive and growing. "
                f"Received: boundaries={list(boundaries)}"
            )
        if any(value < 0 for value in values):
            raise ValueError(f"Rates must not be negative. Received: values={list(values)}")
        self.boundaries = tuple(boundaries)
        self.values = tuple(values)
        self.steps_per_epoch = steps_per_epoch
        self.warmup_epochs = warmup_epochs
        self.warmup_start = warmup_start

    @classmethod
    def over_epochs(
        cls,
        boundaries: Sequence[float],
        values: Sequence[float],
        batches_in: Callable[[int], int],
        warmup_epochs: float = 0,
        warmup_start: float = 0.0,
    ) -> "Piecewise":
        """The schedule of a training whose epochs differ in length, such as multigrid training.

        Args:
            batches_in: says how many steps an epoch has, such as `VideoDataset.batches_in`.
            boundaries, values, warmup_epochs, warmup_start: as of `Piecewise`.

        Example:

        >>> grid = keras_video.training.Multigrid()
        >>> rates = [0.1 * rate for rate in grid.rates]
        >>> Piecewise.over_epochs(grid.boundaries, rates, data.batches_in, warmup_epochs=34)
        """

        def steps(epoch: float) -> int:
            whole = int(epoch)
            done = sum(map(batches_in, range(whole)))
            return done + (round((epoch - whole) * batches_in(whole)) if epoch > whole else 0)

        ends = [steps(boundary) for boundary in boundaries]
        return cls(ends, values, 1, steps(warmup_epochs), warmup_start)

    def __call__(self, step):
        # Whole numbers, because float32 counts steps exactly only to 16 million.
        step = ops.cast(step, "int32")
        rate = ops.cast(self.values[0], "float32")
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            first = round(boundary * self.steps_per_epoch)
            rate = ops.where(step < first, rate, ops.cast(value, "float32"))
        passed = sum(boundary <= self.warmup_epochs for boundary in self.boundaries)
        return warmed_up(
            step,
            rate,
            steps=self.warmup_epochs * self.steps_per_epoch,
            start=self.warmup_start,
            end=self.values[passed],
        )

    def get_config(self):
        return {
            "boundaries": list(self.boundaries),
            "values": list(self.values),
            "steps_per_epoch": self.steps_per_epoch,
            "warmup_epochs": self.warmup_epochs,
            "warmup_start": self.warmup_start,
        }
