"""`Multigrid`: the shapes of batches over a training that is coarse first and fine last."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from keras_video.data.batch_shape import BatchShape


class Phase(NamedTuple):
    """Epochs whose batches have one base shape.

    Attributes:
        start: its first epoch, from 0.
        end: the epoch after its last one.
        batch_factor: times as many clips as usual.
        num_frames: frames of a clip.
        size: height and width in pixels.
    """

    start: int
    end: int
    batch_factor: int
    num_frames: int
    size: int


class Visit(NamedTuple):
    """A shape, and how much of the training happens in it.

    Attributes:
        shape: a `BatchShape`.
        epochs: passes over the data in this shape, a fraction allowed.
    """

    shape: BatchShape
    epochs: float


class Multigrid:
    """Turns a plain schedule of epochs into one whose clips are small first and full last.

    A small clip costs less, so a batch can have more of them at the cost of a plain one; and what
    is learned from many small clips holds for large ones. The **long cycle** goes through clips of
    growing length and size within every stage of the learning rate; a last phase has full clips
    only. The **short cycle** changes the size from batch to batch. Batches are as many times larger
    as their clips are smaller; the rate goes with the base shape of the phase, and batch
    normalisation divides its batches into as many sub-batches.

    It is the schedule of PySlowFast, which PaddleVideo took over, of SlowFast 8x8 by default:

    | Epochs | Clips in a batch | Frames | Sizes in turn |
    | --- | --- | ---: | --- |
    | 0 to 73, 158 to 205, 259 to 291 | 16, 8, 8 times | 8 | 112, 158, 158 |
    | to 110, 228, 308 | 8, 4, 4 times | 16 | 112, 158, 158 |
    | to 142, 248, 322 | 8, 4, 2 times | 16 | 112, 158, 224 |
    | to 158, 259, 329; to 358 | 4, 2, 1 times | 32 | 112, 158, 224 |

    Args:
        num_frames: frames of a full clip.
        size: height and width of a full clip in pixels.
        num_epochs: of the plain schedule.
        boundaries: its epochs at which the rate falls; what follows the last becomes the last
            phase.
        decay: factor of the rate at each boundary.
        epoch_factor: how many times more epochs multigrid training has, as one costs less.
        long_cycle: `(share of the frames, share of the size)` of each base shape; none: short cycle
            only.
        short_cycle: shares of the size of the batches before one of the base shape; none: long
            cycle only.
        reference: PaddleVideo's deviations: clips of fewer frames have the usual distance between
            them, so that they last less; in the long cycle, small crops are taken from frames as
            large as for large crops; with the short cycle only, the number of epochs is squared.

    Attributes:
        phases: the `Phase`s in order.
        num_epochs: epochs of the multigrid training.
        boundaries: epochs at which the rate changes.
        rates: relative to the plain schedule's highest, one more than boundaries.

    Raises:
        ValueError: arguments that make no schedule.

    Example:

    >>> multigrid = keras_video.training.Multigrid()
    >>> multigrid.num_epochs, multigrid.phases[0]
    (358, Phase(start=0, end=73, batch_factor=8, num_frames=8, size=158))
    >>> data = VideoDataset(videos, batch_size=64, shapes=multigrid, training=True, ...)

    Reference: Wu et al., "A Multigrid Method for Efficiently Training Video Models",
    https://arxiv.org/abs/1912.00998
    """

    def __init__(
        self,
        num_frames: int = 32,
        size: int = 224,
        num_epochs: int = 239,
        boundaries: Sequence[int] = (94, 154, 196),
        decay: float = 0.1,
        epoch_factor: float = 1.5,
        long_cycle: Sequence[tuple[float, float]] = (
            (0.25, 0.5**0.5),
            (0.5, 0.5**0.5),
            (0.5, 1.0),
            (1.0, 1.0),
        ),
        short_cycle: Sequence[float] = (0.5, 0.5**0.5),
        reference: bool = False,
    ):
        self._config = {
            "num_frames": num_frames,
            "size": size,
            "num_epochs": num_epochs,
            "boundaries": list(boundaries),
            "decay": decay,
            "epoch_factor": epoch_factor,
            "long_cycle": [list(factors) for factors in long_cycle],
            "short_cycle": list(short_cycle),
            "reference": reference,
        }
        self.num_frames, self.size, self.reference = num_frames, size, reference
        self._short_cycle = tuple(short_cycle)
        _check(self._config)
        if long_cycle:
            self._set_long_cycle(num_epochs, boundaries, decay, epoch_factor, long_cycle)
        else:
            factor = num_epochs if reference else epoch_factor
            self.boundaries = tuple(int(epoch * epoch_factor) for epoch in boundaries)
            self.rates = tuple(decay**stage for stage in range(len(boundaries) + 1))
            self.phases = (Phase(0, int(num_epochs * factor), 1, num_frames, size),)
        self.num_epochs = self.phases[-1].end
        self._cycles = {phase: self._cycle(phase) for phase in self.phases}

    def phase(self, epoch: int) -> Phase:
        """The phase of an epoch, from 0; after the end the last one."""
        return next((phase for phase in self.phases if epoch < phase.end), self.phases[-1])

    def cycle(self, epoch: int) -> tuple[BatchShape, ...]:
        """The shapes that the batches of an epoch have in turn; the last is the base shape."""
        return self._cycles[self.phase(epoch)]

    def visits(self) -> list[Visit]:
        """Every shape of the training, in order of appearance, with its passes over the data.

        Example (steps of a training with 240,000 clips and 64 clips in a plain batch):

        >>> steps = {visit.shape: visit.epochs * 240_000 / (64 * visit.shape.batch_factor)
        ...          for visit in Multigrid().visits()}
        """
        epochs: dict[BatchShape, float] = {}
        for phase, shapes in self._cycles.items():
            clips = sum(shape.batch_factor for shape in shapes)
            for shape in shapes:
                share = (phase.end - phase.start) * shape.batch_factor / clips
                epochs[shape] = epochs.get(shape, 0.0) + share
        return [Visit(shape, count) for shape, count in epochs.items()]

    def get_config(self) -> dict:
        """The arguments, as plain values that JSON can hold."""
        return dict(self._config)

    def _set_long_cycle(self, num_epochs, boundaries, decay, epoch_factor, long_cycle) -> None:
        shapes = [
            (round(self.num_frames * frames), round(self.size * side))
            for frames, side in long_cycle
        ]
        # Clips in a batch of each base shape, on average over the short cycle.
        clips = [self._mean_factor(*shape) for shape in shapes]
        starts = [0, *boundaries]
        plan, steps = [], 0.0
        for stage, (start, end) in enumerate(zip(starts, boundaries, strict=False)):
            for shape, count in zip(shapes, clips, strict=True):
                # Every shape gets as many steps, so epochs in proportion to its clips.
                epochs = (end - start) * count / sum(clips)
                steps += epochs / count
                plan.append((stage, shape, epochs))
        # The last phase saves as many steps as the rest.
        last = (num_epochs - boundaries[-1]) * steps / boundaries[-1] * clips[-1]
        plan.append((len(boundaries), shapes[-1], last))
        factor = num_epochs * epoch_factor / sum(epochs for *_, epochs in plan)
        phases, ends, start, total = [], [], 0, 0.0
        for stage, shape, epochs in plan:
            total += epochs * factor
            phases.append(Phase(start, round(total), self._factor(*shape), *shape))
            ends.append((round(total), decay**stage * phases[-1].batch_factor))
            start = round(total)
        # The last phase begins with the rate of the one before and falls in its middle.
        (before, rate), (end, last_rate) = ends[-2:]
        ends[-1:] = [((before + end) // 2, rate), (end, last_rate)]
        # A short training may have no epoch for some shape.
        self.phases = tuple(phase for phase in phases if phase.start < phase.end)
        ends = [(end, rate) for (begin, _), (end, rate) in pairwise([(0, 0), *ends]) if begin < end]
        self.boundaries = tuple(end for end, _ in ends[:-1])
        self.rates = tuple(rate for _, rate in ends)

    def _factor(self, num_frames: int, size: float) -> int:
        return round(self.num_frames * self.size**2 / (num_frames * size**2))

    def _mean_factor(self, num_frames: int, size: int) -> float:
        sizes = [*(self.size * share for share in self._short_cycle), size]
        return sum(self._factor(num_frames, side) for side in sizes) / len(sizes)

    def _cycle(self, phase: Phase) -> tuple[BatchShape, ...]:
        shapes = []
        for share in (*self._short_cycle, None):
            exact = phase.size if share is None else min(self.size * share, phase.size)
            size = round(exact)
            in_long_cycle_only = share is None and self.reference
            shapes.append(
                BatchShape(
                    batch_factor=phase.batch_factor * round((phase.size / exact) ** 2),
                    num_frames=phase.num_frames,
                    size=size,
                    num_splits=phase.batch_factor,
                    stretch=1 if self.reference else self.num_frames // phase.num_frames,
                    size_ratio=size / self.size,
                    scale=1.0 if in_long_cycle_only else size / self.size,
                )
            )
        return tuple(shapes)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._config.items())
        return f"{type(self).__name__}({arguments})"


def _check(config: dict) -> None:
    for name in ("num_frames", "size", "num_epochs"):
        value = config[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number from 1. Received: {name}={value!r}")
    boundaries = config["boundaries"]
    if (
        not boundaries
        or boundaries != sorted(set(boundaries))
        or not 0 < boundaries[0] <= boundaries[-1] < config["num_epochs"]
    ):
        raise ValueError(
            "`boundaries` must be growing epochs between 0 and `num_epochs`. "
            f"Received: boundaries={boundaries}, num_epochs={config['num_epochs']}"
        )
    if not 0 < config["epoch_factor"] < math.inf:
        raise ValueError(
            f"`epoch_factor` must be positive. Received: epoch_factor={config['epoch_factor']!r}"
        )
    if not config["long_cycle"] and not config["short_cycle"]:
        raise ValueError("Multigrid training has a long cycle, a short cycle, or both.")
    shares = [*config["short_cycle"], *(share for pair in config["long_cycle"] for share in pair)]
    if not all(0 < share <= 1 for share in shares):
        raise ValueError(
            "Shapes are shares of the full one, above 0 and up to 1. Received: "
            f"long_cycle={config['long_cycle']}, short_cycle={config['short_cycle']}"
        )
