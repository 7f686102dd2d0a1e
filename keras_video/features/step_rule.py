"""`StepRule`: which moments of a video become steps of its features."""

import math
from dataclasses import dataclass

import numpy as np

from keras_video.data.samplers import sample_uniform

# Containers round time stamps to a millisecond.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class StepRule:
    """One of three ways to walk through a video.

    Args:
        kind: `"frames"`, a number of steps spread over the video; `"fps"`, steps a second;
            `"stride"`, frames from one step to the next.
        value: that number.

    Raises:
        ValueError: a number that is none, or not positive.
    """

    kind: str
    value: float

    def __post_init__(self):
        whole = self.kind != "fps"
        number = isinstance(self.value, int | float | np.number)
        if (
            not number
            or isinstance(self.value, bool)
            or not 0 < self.value < math.inf
            or (whole and self.value != int(self.value))
        ):
            what = "a whole number from 1" if whole else "a number above 0"
            raise ValueError(f"`{self.kind}` must be {what}. Received: {self.kind}={self.value!r}")
        object.__setattr__(self, "value", int(self.value) if whole else float(self.value))

    @classmethod
    def of(cls, frames=None, fps=None, stride=None, default: "StepRule | None" = None):
        """The rule that one of three arguments gives, or `default` where none is given."""
        given = {"frames": frames, "fps": fps, "stride": stride}
        given = {kind: value for kind, value in given.items() if value is not None}
        if len(given) > 1 or (not given and default is None):
            raise ValueError(
                "Give one of `frames` (steps a video), `fps` (steps a second) and `stride` (frames "
                f"from step to step). Received: {given}"
            )
        return cls(*next(iter(given.items()))) if given else default

    def frames(self, times: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
        """Single frames.

        `"frames"` takes the middle frame of segments of whole frames (`sample_uniform`), and
        starts a shorter video again from its first frame, as the reference does; `"fps"` takes
        the frame that is on screen at 0, 1 / fps, 2 / fps, ... seconds; `"stride"` every n-th one.

        Args:
            times: of all frames, in seconds from the first.
            duration: of the video in seconds.

        Returns:
            The frames' numbers, int64, and their times in seconds: for `"fps"` the moments
            themselves, else when the frames appear.
        """
        if self.kind == "fps":
            moments = self._moments(duration)
            return _on_screen(times, moments), moments
        if self.kind == "frames":
            numbers = sample_uniform(len(times), self.value)[0]
        else:
            numbers = np.arange(0, len(times), self.value)
        return numbers, times[numbers]

    def clips(self, times: np.ndarray, span: int) -> np.ndarray:
        """The first frames of clips that span `span` frames, the last clip at the video's end.

        `"frames"` spreads clips evenly, a single one is in the middle; the others begin one every
        `stride` frames or 1 / fps seconds, until one reaches the end of the video. A video shorter
        than a clip begins once, or `frames` times, at 0.
        """
        last = max(len(times) - span, 0)
        if self.kind == "frames":
            places = np.linspace(0, last, self.value) if self.value > 1 else [last // 2]
            return np.asarray(places).astype(np.int64)
        if self.kind == "stride":
            return np.arange(-(-last // self.value) + 1) * self.value
        count = math.ceil((times[last] - _ROUNDING) * self.value) if last else 0
        return _on_screen(times, np.arange(max(count, 0) + 1) / self.value)

    def _moments(self, duration: float) -> np.ndarray:
        count = max(math.ceil((duration - _ROUNDING) * self.value), 1)
        return np.arange(count) / self.value


def _on_screen(times: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The last frame that has appeared at each moment."""
    return np.maximum(np.searchsorted(times, moments + _ROUNDING, "right") - 1, 0)
