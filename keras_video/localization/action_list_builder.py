"""How all readers make annotated videos: the same checks, the same errors."""

import json
import os
import warnings
from pathlib import Path

from keras_video.localization.action import Action
from keras_video.localization.action_list_error import ActionListError, ActionListWarning
from keras_video.localization.annotated_video import SPLITS, AnnotatedVideo
from keras_video.localization.segments import is_number
from keras_video.presets.errors import did_you_mean, one_line

# Annotations are often rounded to seconds.
_ROUNDING = 1.0
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


class ActionListBuilder:
    """Collects the videos of a file.

    Args:
        path: the file, for messages.
        split: keep only its videos, or `None`.
        invalid: `"error"`, or `"skip"` to leave out actions that cannot be, with a warning.
    """

    def __init__(self, path: str | os.PathLike, split: str | None, invalid: str = "error"):
        if split is not None and split not in SPLITS:
            raise ValueError(
                f"A split is one of {', '.join(SPLITS)}, or None for all."
                f"{did_you_mean(str(split), SPLITS)} Received: split={split!r}"
            )
        if invalid not in ("error", "skip"):
            raise ValueError(f"`invalid` is error or skip. Received: invalid={invalid!r}")
        self.path, self.split, self.invalid = path, split, invalid
        self._videos: dict[str, AnnotatedVideo] = {}
        self._cut: list[str] = []
        self._skipped: list[str] = []

    def error(self, reason: str) -> ActionListError:
        return ActionListError(self.path, reason)

    def split_of(self, name, video: str) -> str:
        """Our name of a split, from that of the file."""
        found = SPLIT_NAMES.get(name.lower()) if isinstance(name, str) else None
        if found is None:
            raise self.error(
                f"video {video!r} is of no known split; write train, val or test. "
                f"Received: {name!r}"
            )
        return found

    def add(self, video, duration, split: str, actions: list[tuple]) -> None:
        """Adds a video with its actions, `(start, end, label)` each, as they stand in the file."""
        if not isinstance(video, str) or not video.strip():
            raise self.error(f"a video has no name; give its name or path. Received: {video!r}")
        if video in self._videos:
            raise self.error(f"video {video!r} occurs twice; give all its actions in one place")
        if duration is not None and not (is_number(duration) and duration > 0):
            raise self.error(
                f"video {video!r} has no duration; write seconds above 0. Received: {duration!r}"
            )
        wanted = self.split in (None, split)
        found = [self._action(video, duration, *action) for action in actions if wanted]
        duration = None if duration is None else float(duration)
        self._videos[video] = AnnotatedVideo(
            video, duration, split, tuple(action for action in found if action is not None)
        )

    def finish(self, stacklevel: int = 5) -> list[AnnotatedVideo]:
        """The videos of the split; warnings name the line so many calls above."""
        if not self._videos:
            raise self.error("there are no videos in it")
        videos = [v for v in self._videos.values() if self.split in (None, v.split)]
        if not videos:
            splits = ", ".join(sorted({video.split for video in self._videos.values()}))
            raise self.error(
                f"there are no videos of the split {self.split!r}, only of {splits}; ask for "
                "another split, or for all with split=None"
            )
        cut = "actions that end less than a second after their video, cut to its end"
        self._warn(self._cut, cut, stacklevel)
        self._warn(self._skipped, "actions left out", stacklevel)
        return videos

    def _action(self, video: str, duration, start, end, label) -> Action | None:
        wrong = what = None
        if not isinstance(label, str) or not label.strip():
            raise self.error(f"an action of {video!r} has no label. Received: {label!r}")
        if not (is_number(start) and is_number(end)):
            wrong, what = "has times that are no numbers of seconds", "write its start and end"
        elif start < 0:
            wrong, what = "starts before its video", "write seconds from the video's start"
        elif end <= start:
            wrong, what = "ends at its start or before", "correct its start or end"
        elif duration is not None and end > duration:
            if end - duration < _ROUNDING and start < duration:
                self._cut.append(f"{video!r} {label!r} from {start!r} to {end!r} of {duration!r}")
                end = duration
            else:
                wrong = f"ends after its video of {duration:g} seconds"
                what = "correct its end or the video's duration"
        if wrong is None:
            return Action(float(start), float(end), label)
        place = f"{label!r} of {video!r} {wrong}"
        received = f"Received: start={start!r}, end={end!r}"
        if self.invalid == "error":
            raise self.error(
                f"the action {place}; {what}, or leave such actions out with invalid='skip'. "
                f"{received}"
            )
        self._skipped.append(f"{place} ({received})")
        return None

    def _warn(self, places: list[str], what: str, stacklevel: int) -> None:
        if places:
            warnings.warn(
                f"{self.path}: {what}: {len(places)}, the first {places[0]}",
                ActionListWarning,
                stacklevel=stacklevel,
            )


def read_json(path: str | os.PathLike):
    """The content of a JSON file.

    Raises:
        ActionListError: no such file, or no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ActionListError(path, f"the file cannot be read: {one_line(error)}") from None
    except (ValueError, RecursionError) as error:
        raise ActionListError(
            path, f"the file must be JSON, in UTF-8; check that it is whole: {one_line(error)}"
        ) from None


def write_json(path: str | os.PathLike, content) -> None:
    """Writes a JSON file, with its folder.

    Raises:
        ActionListError: it cannot be written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        Path(path).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ActionListError(path, f"the file cannot be written: {one_line(error)}") from None
