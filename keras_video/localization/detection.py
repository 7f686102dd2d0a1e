"""`Detection`: a segment and the class of what happens in it."""

from dataclasses import dataclass

from keras_video.localization.segments import check_label, check_score, check_times


@dataclass(frozen=True)
class Detection:
    """An action that a model found.

    Args:
        start: seconds from the start of the video.
        end: seconds, not before `start`.
        score: how sure the model is; higher is surer.
        label: name of the class.

    Raises:
        ValueError: times or a score that are no finite numbers, an end before the start, or no
            label.

    Example:

    >>> Detection(12.0, 17.5, 0.8, "goal").label
    'goal'
    """

    start: float
    end: float
    score: float
    label: str

    def __post_init__(self):
        check_times(self.start, self.end)
        check_score(self.score)
        check_label(self.label)
