"""`VideoOutputs`: the network's answers of one video, until they are all there."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from keras_video.features.decoding_pool import Planned, VideoJob
from keras_video.features.video_features import VideoFeatures


class VideoOutputs:
    """Collects the answers for the units of a video, whatever their order.

    Args:
        planned: the video.
        steps: that a unit gives.
        channels: of a step.

    Attributes:
        plan: the video's `StepPlan`.
        segments: float32 `(units, steps, channels)` for each of its segments.
    """

    def __init__(self, planned: Planned, steps: int, channels: int):
        self.plan, self._duration, self._fps = planned.plan, planned.duration, planned.fps
        self.segments: list[np.ndarray] = []
        self._missing: list[int] = []
        for number, (start, end) in enumerate(self.plan.segments):
            shape = (end - start, steps, channels)
            known = planned.known.get(number)
            self._missing.append(end - start if known is None else 0)
            self.segments.append(np.zeros(shape, np.float32) if known is None else known)

    @property
    def is_complete(self) -> bool:
        """Whether all answers are there."""
        return not any(self._missing)

    def add(self, segment: int, number: int, output: np.ndarray) -> bool:
        """Takes the answer for a unit; returns whether its segment is complete."""
        self.segments[segment][number - self.plan.segments[segment][0]] = output
        self._missing[segment] -= 1
        return not self._missing[segment]

    def assemble(self) -> VideoFeatures:
        """The features in order of their steps."""
        units = self.segments[0] if len(self.segments) == 1 else np.concatenate(self.segments)
        features = units[self.plan.clip_of_step, self.plan.place_of_step]
        return VideoFeatures(features, self.plan.times, self._duration, self._fps)


class SegmentExtracted(NamedTuple):
    """A segment of a video is done."""

    job: VideoJob
    outputs: VideoOutputs
    segment: int


class Extracted(NamedTuple):
    """A video is done."""

    job: VideoJob
    outputs: VideoOutputs


def place_outputs(
    answers: Iterable[tuple[tuple[VideoJob, int, int], np.ndarray]],
    found: dict[VideoJob, VideoOutputs],
) -> Iterator[SegmentExtracted | Extracted]:
    """Puts answers where they belong; yields what they complete, and takes that from `found`.

    Args:
        answers: pairs of job, segment and unit, and float32 `(steps, channels)`.
        found: the videos at work; answers for others, which failed meanwhile, are dropped.
    """
    for (job, segment, number), output in answers:
        outputs = found.get(job)
        if outputs is None or not outputs.add(segment, number, output):
            continue
        yield SegmentExtracted(job, outputs, segment)
        if outputs.is_complete:
            del found[job]
            yield Extracted(job, outputs)
