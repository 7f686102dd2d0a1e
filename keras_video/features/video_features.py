"""`VideoFeatures`: what a network saw in a video, step by step."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class VideoFeatures:
    """The features of one video.

    Attributes:
        features: float32 `(steps, channels)`.
        times: float64 `(steps,)`: when each step is, in seconds from the video's first frame.
        duration: of the video in seconds.
        fps: frames of the video a second, on average.
    """

    features: np.ndarray
    times: np.ndarray
    duration: float
    fps: float

    def __repr__(self) -> str:
        steps, channels = self.features.shape
        return f"<VideoFeatures: {steps} steps of {channels} channels, {self.duration:.4g} s>"
