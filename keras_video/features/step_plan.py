"""`StepPlan`: which clips of a video the network has to see, and which step each answer is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keras_video.features.step_rule import StepRule

# A segment is decoded by one thread, and what it gives is kept as a whole.
_SEGMENT_FRAMES = 1024
_SEGMENT_SECONDS = 600.0


@dataclass(frozen=True)
class ClipShape:
    """What the network takes and gives.

    Args:
        num_frames: frames of a clip.
        per_frame: whether it gives a step for each frame, or one for the clip.
        independent: whether the steps of frames do not depend on the others in the clip.
        frame_interval: distance between a clip's frames, where it gives one step for the clip.
    """

    num_frames: int
    per_frame: bool
    independent: bool = False
    frame_interval: int = 1

    @property
    def unit(self) -> int:
        """Frames that belong together."""
        return 1 if self.per_frame and self.independent else self.num_frames

    @property
    def steps(self) -> int:
        """Steps that a unit gives."""
        return self.unit if self.per_frame else 1


@dataclass(frozen=True)
class StepPlan:
    """The distinct units of a video, in order, and where each step is found.

    Attributes:
        clips: int64 `(units, unit)`: the frames of each unit.
        clip_of_step: int64 `(steps,)`.
        place_of_step: int64 `(steps,)`: which of the unit's steps.
        times: float64 `(steps,)`, seconds from the first frame.
        segments: pairs of first unit and end, for work in parts.
    """

    clips: np.ndarray
    clip_of_step: np.ndarray
    place_of_step: np.ndarray
    times: np.ndarray
    segments: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> int:
        """Number of steps of the video."""
        return len(self.times)


def plan_steps(
    timestamps: np.ndarray, duration: float, fps: float, rule: StepRule, shape: ClipShape
) -> StepPlan:
    """Plans the steps of a video.

    Steps of frames that see their neighbours are taken in groups of `shape.num_frames`, one after
    the other; the last group is filled up with its last frame. Frames of clips that lie behind the
    end of the video repeat the last one; a clip's time is the middle between its first frame and
    its last one.

    Args:
        timestamps: of all frames, in seconds.
        duration: of the video in seconds.
        fps: frames a second, on average.
        rule: which moments become steps.
        shape: of the network's clips.
    """
    times = np.maximum.accumulate(np.asarray(timestamps, np.float64) - timestamps[0])
    if shape.per_frame:
        frames, moments = rule.frames(times, duration)
        missing = -len(frames) % shape.unit
        frames = np.concatenate([frames, np.repeat(frames[-1:], missing)])
        rows = frames.reshape(-1, shape.unit)
        step = np.arange(len(moments))
        row_of_step, place_of_step = step // shape.unit, step % shape.unit
    else:
        offsets = np.arange(shape.num_frames) * shape.frame_interval
        starts = rule.clips(times, int(offsets[-1]) + 1)
        rows = np.minimum(starts[:, None] + offsets, len(times) - 1)
        moments = (times[rows[:, 0]] + times[rows[:, -1]]) / 2
        row_of_step, place_of_step = np.arange(len(rows)), np.zeros(len(rows), np.int64)
    # Short videos repeat frames: each clip is seen once.
    clips, found = np.unique(rows, axis=0, return_inverse=True)
    segments = tuple(_segments(clips, times))
    return StepPlan(clips, found.reshape(-1)[row_of_step], place_of_step, moments, segments)


def _segments(clips: np.ndarray, times: np.ndarray) -> Iterator[tuple[int, int]]:
    size = max(_SEGMENT_FRAMES // clips.shape[1], 1)
    first = times[clips[:, 0]]
    start = 0
    while start < len(clips):
        in_time = int(np.searchsorted(first, first[start] + _SEGMENT_SECONDS, "right"))
        end = min(start + size, max(in_time, start + 1), len(clips))
        yield start, end
        start = end
