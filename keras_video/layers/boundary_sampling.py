"""`BoundarySampling`: where a boundary-matching map takes its samples, and with which weights."""

import dataclasses
import functools

import numpy as np

LAYOUTS = ("duration_start", "start_end")


@dataclasses.dataclass(frozen=True)
class BoundarySampling:
    """The geometry of a boundary-matching map.

    A cell stands for a segment of a sequence. From half a length before it (`boundary_ratio`) to
    half a length after it, `num_samples * points` places are spread evenly, the first on one end
    and the last on the other. At each, the sequence is interpolated; a sample is the mean of
    `points` of them. Nothing is added for what lies outside the sequence.

    Args:
        num_frames: steps of the sequence.
        max_duration: rows of the map.
        num_samples: samples of each segment. Defaults to 32.
        points: places of each sample. Defaults to 3.
        boundary_ratio: of the segment's length, how much is sampled on each side of it.
        layout: `"duration_start"`, as PaddleVideo and MMAction2 have it: the cell `[d, s]` is the
            segment of steps `s` to `s + d`, whose length is `d + 1`. `"start_end"`, as the first
            published code has it: the cell `[s, e]` is the segment `s` to `e + 1`, whose length is
            `e - s + 2`.

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """

    num_frames: int
    max_duration: int
    num_samples: int = 32
    points: int = 3
    boundary_ratio: float = 0.5
    layout: str = "duration_start"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return self.max_duration, self.num_frames

    @functools.cached_property
    def cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each cell that is a segment: its number, its first step, and its duration's number."""
        row, column = np.indices(self.shape).reshape(2, -1)
        start, duration = (column, row) if self.layout == "duration_start" else (row, column - row)
        real = (duration >= 0) & (start + duration < self.num_frames)
        number = np.flatnonzero(real)
        return tuple(a.astype("int32") for a in (number, start[real], duration[real]))

    @functools.cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each duration and place: whole steps after the segment's start, and the rest."""
        further = 0 if self.layout == "duration_start" else 1
        durations = self.num_frames if further else self.max_duration
        last = np.arange(durations)[:, None] + further
        margin = self.boundary_ratio * (last + 1)
        count = self.num_samples * self.points
        places = -margin + (last + 2 * margin) / (count - 1.0) * np.arange(count)
        # What is whole but for rounding.
        whole = np.rint(places)
        places = np.where(np.abs(places - whole) < 1e-9, whole, places)
        steps = np.floor(places)
        return steps.astype("int32"), places - steps

    def taken(self, steps, rest) -> tuple:
        """The two steps that a place lies between, clipped to the sequence, and their weights.

        Takes and returns NumPy arrays: `steps` after the sequence's start and the `rest` of 1.
        """
        last = self.num_frames - 1
        before = np.where((steps >= 0) & (steps <= last), 1 - rest, 0.0)
        after = np.where((steps >= -1) & (steps < last), rest, 0.0)
        # Just before the first step the reference takes all of it, having rounded towards zero.
        after = np.where((steps == -1) & (rest > 0), 1.0, after)
        return np.clip(steps, 0, last), np.clip(steps + 1, 0, last), before, after

    @functools.cached_property
    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """The map as a sparse matrix, sorted by rows.

        Returns:
            `indices`, int64 `(entries, 2)`: the number of a cell, and `sample * num_frames + step`;
            and `values`, float32 `(entries,)`.
        """
        steps, rest = self.places
        width = self.num_samples * self.num_frames
        keys, values = [], []
        # By parts, for the memory.
        for cell, start, duration in zip(
            *(np.array_split(array, 16) for array in self.cells), strict=True
        ):
            first, second, before, after = self.taken(
                steps[duration] + start[:, None], rest[duration]
            )
            sample = np.repeat(np.arange(self.num_samples), self.points) * self.num_frames
            row = cell[:, None].astype("int64") * width
            key = np.stack([row + sample + first, row + sample + second])
            value = np.stack([before, after])
            key, place = np.unique(key[value > 0], return_inverse=True)
            keys.append(key)
            values.append(np.bincount(place, value[value > 0], len(key)) / self.points)
        keys = np.concatenate(keys)
        indices = np.stack([keys // width, keys % width], axis=1)
        return indices, np.concatenate(values).astype("float32")


@functools.lru_cache(maxsize=8)
def boundary_sampling(*args) -> BoundarySampling:
    """As `BoundarySampling`, computed once."""
    return BoundarySampling(*args)
