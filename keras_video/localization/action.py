"""`Action`: something that happens in a video, from when to when."""

from dataclasses import dataclass

from keras_video.localization.segments import check_label, check_times


@dataclass(frozen=True)
class Action:
    """An annotated action.

    Args:
        start: seconds from the start of the video, at least 0.
        end: seconds, after `start`.
        label: name of the class.

    Raises:
        ValueError: times that are no numbers or not in order, or no label.

    Example:

    >>> Action(12.0, 17.5, "goal").end
    17.5
    """

    start: float
    end: float
    label: str

    def __post_init__(self):
        check_times(self.start, self.end)
        if self.start < 0 or self.start == self.end:
            raise ValueError(
                "An action starts at 0 seconds or later and ends after its start. "
                f"Received: start={self.start!r}, end={self.end!r}"
            )
        check_label(self.label)
