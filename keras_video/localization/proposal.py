"""`Proposal`: a segment in which something may happen."""

from dataclasses import dataclass

from keras_video.localization.segments import check_score, check_times


@dataclass(frozen=True)
class Proposal:
    """A segment in which a model expects an action, whatever its class.

    Args:
        start: seconds from the start of the video.
        end: seconds, not before `start`.
        score: how sure the model is; higher is surer.

    Raises:
        ValueError: times or a score that are no finite numbers, or an end before the start.

    Example:

    >>> Proposal(12.0, 17.5, 0.8).score
    0.8
    """

    start: float
    end: float
    score: float

    def __post_init__(self):
        check_times(self.start, self.end)
        check_score(self.score)
