"""`read_thumos14`: the annotations of THUMOS 2014."""

import os
from collections.abc import Mapping
from pathlib import Path

from keras_video.localization.action_list_builder import ActionListBuilder
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.presets.errors import one_line

_AMBIGUOUS = "Ambiguous"


def read_thumos14(
    folder: str | os.PathLike,
    split: str | None = None,
    durations: Mapping[str, float] | None = None,
    ambiguous: bool = False,
    invalid: str = "error",
) -> list[AnnotatedVideo]:
    """Reads a folder of THUMOS 2014's temporal annotations: one text file for each class.

    A file is named `<Class>_val.txt` or `<Class>_test.txt`; a line is `video start end`, in
    seconds. The annotated part of the data set trains on the videos of "val".

    Args:
        folder: the folder, such as `TH14_Temporal_annotations_validation/annotation`.
        split: `"val"` or `"test"`; by default all videos.
        durations: seconds of each video, for checks; by default durations are `None`.
        ambiguous: whether the intervals of `Ambiguous_*.txt`, which the official evaluation
            leaves out of account, become actions of that label. Defaults to `False`.
        invalid: what becomes of actions that end before they start, or a second or more after
            their video: `"error"` (default), or `"skip"` to leave them out, with a warning.

    Returns:
        `AnnotatedVideo`s, sorted by name, their actions by start.

    Raises:
        ActionListError: no such folder, no annotations in it, or a line of another form.

    Example:

    >>> videos = read_thumos14("annotation/", split="val")
    """
    folder = Path(folder)
    builder = ActionListBuilder(folder, split, invalid)
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    splits: dict[str, str] = {}
    actions: dict[str, list[tuple]] = {}
    for file in files:
        label, _, ending = file.stem.rpartition("_")
        if not label or ending not in ("val", "test"):
            raise builder.error(
                f"a file of annotations is named <Class>_val.txt or <Class>_test.txt; move others "
                f"away. Received: {file.name!r}"
            )
        for video, start, end in _lines(builder, file):
            if splits.setdefault(video, ending) != ending:
                raise builder.error(f"video {video!r} is of val and of test; remove one")
            found = actions.setdefault(video, [])
            if label != _AMBIGUOUS or ambiguous:
                found.append((start, end, label))
    if not actions:
        raise builder.error(
            "there is no folder with files like BaseballPitch_val.txt; give the one in which they "
            "are themselves"
        )
    for video in sorted(actions):
        builder.add(video, (durations or {}).get(video), splits[video], sorted(actions[video]))
    return builder.finish(stacklevel=4)


def _lines(builder: ActionListBuilder, file: Path):
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise builder.error(f"{file.name} cannot be read: {one_line(error)}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            video, start, end = line.split()
            yield video, float(start), float(end)
        except ValueError:
            raise builder.error(
                f"{file.name}, line {number}: a line is `video start end`, in seconds. "
                f"Received: {line!r:.100}"
            ) from None
