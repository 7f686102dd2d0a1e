"""`AnnotatedVideo`: a video and the actions in it."""

from dataclasses import dataclass

from keras_video.localization.action import Action
from keras_video.localization.segments import is_number

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video with all its annotated actions.

    Args:
        video: its name or path, as its list has it.
        duration: seconds, or `None` where the list doesn't say.
        split: `"train"`, `"val"` or `"test"`.
        actions: `Action`s, none included.

    Raises:
        ValueError: no name, a duration that is no time, another split, or an action that ends after
            the video.

    Example:

    >>> AnnotatedVideo("a.mp4", 90.0, "train", (Action(12.0, 17.5, "goal"),)).actions[0].label
    'goal'
    """

    video: str
    duration: float | None
    split: str
    actions: tuple[Action, ...] = ()

    def __post_init__(self):
        if not isinstance(self.video, str) or not self.video.strip():
            raise ValueError(f"A video has a name. Received: video={self.video!r}")
        if self.duration is not None and not (is_number(self.duration) and self.duration > 0):
            raise ValueError(
                "A duration is a number of seconds above 0, or None. "
                f"Received: duration={self.duration!r} of {self.video!r}"
            )
        if self.split not in SPLITS:
            raise ValueError(
                f"A split is one of {', '.join(SPLITS)}. "
                f"Received: split={self.split!r} of {self.video!r}"
            )
        object.__setattr__(self, "actions", tuple(self.actions))
        for action in self.actions:
            if not isinstance(action, Action):
                raise ValueError(f"`actions` are Actions. Received: {action!r} of {self.video!r}")
            if self.duration is not None and action.end > self.duration:
                raise ValueError(
                    f"An action ends within its video of {self.duration:g} seconds. "
                    f"Received: {action!r} of {self.video!r}"
                )
