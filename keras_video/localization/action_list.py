"""`read_actions` and `write_actions`: lists of annotated videos."""

import os
from collections.abc import Iterable
from pathlib import Path

from keras_video.localization.action_list_builder import (
    SPLIT_NAMES,
    ActionListBuilder,
    read_json,
    write_json,
)
from keras_video.localization.action_list_error import ActionListError
from keras_video.localization.activitynet import activitynet_videos, is_activitynet
from keras_video.localization.annotated_video import AnnotatedVideo

VERSION = 1


def read_actions(
    path: str | os.PathLike, split: str | None = None, invalid: str = "error"
) -> list[AnnotatedVideo]:
    """Reads annotated videos from a JSON file, in any form that it knows.

    Our own form, in seconds; a duration and a split may be missing, videos are of `"train"` then:

        {"actions_version": 1, "videos": [
          {"video": "a.mp4", "duration": 90.0, "split": "train",
           "actions": [{"label": "goal", "start": 12.0, "end": 17.5}]}]}

    PaddleVideo's FootballAction: `{"fps", "gts": [{"url", "total_frames", "actions": [{"label_ids",
    "label_names", "start_id", "end_id"}]}]}`. In spite of their names, its numbers are seconds. An
    action of two labels becomes two. Its videos are of the split that the file's name ends with,
    `label_cls8_val.json`, else of `"train"`.

    ActivityNet's, see `read_activitynet`.

    Args:
        path: the file.
        split: `"train"`, `"val"` or `"test"`; by default all videos.
        invalid: what becomes of actions that end before they start, or a second or more after
            their video: `"error"` (default), or `"skip"` to leave them out, with a warning.

    Returns:
        `AnnotatedVideo`s in the file's order, named as the file names them. Actions that end less
        than a second after their video are cut, with an `ActionListWarning`.

    Raises:
        ActionListError: no such file, an unknown form, or content that cannot be; the message names
            the video.

    Example:

    >>> write_actions("a.json", [AnnotatedVideo("a.mp4", 90.0, "val", (Action(1.0, 2.5, "goal"),))])
    >>> read_actions("a.json", split="val")[0].actions
    (Action(start=1.0, end=2.5, label='goal'),)
    """
    content = read_json(path)
    builder = ActionListBuilder(path, split, invalid)
    if isinstance(content, dict) and "actions_version" in content:
        return _own(builder, content)
    if isinstance(content, dict) and "gts" in content:
        return _football(builder, content)
    if is_activitynet(content):
        return activitynet_videos(path, content, split, None, invalid)
    raise builder.error(
        'this is no list of actions; write {"actions_version": 1, "videos": [{"video": "a.mp4", '
        '"duration": 90.0, "split": "train", "actions": [{"label": "goal", "start": 12.0, "end": '
        f"17.5}}]}}]}}, or give a list of FootballAction or ActivityNet. Received: {content!r:.100}"
    )


def write_actions(path: str | os.PathLike, videos: Iterable[AnnotatedVideo]) -> None:
    """Writes annotated videos to a JSON file, as `read_actions` reads them.

    Args:
        path: the file; folders are made.
        videos: `AnnotatedVideo`s, each name once.

    Raises:
        ActionListError: no videos, one twice, or the file cannot be written.
        ValueError: something else than an `AnnotatedVideo`.

    Example:

    >>> write_actions("actions.json", [AnnotatedVideo("a.mp4", 90.0, "test")])
    """
    entries: dict[str, dict] = {}
    for video in videos:
        if not isinstance(video, AnnotatedVideo):
            raise ValueError(f"`videos` are AnnotatedVideos. Received: {video!r:.100}")
        if video.video in entries:
            raise ActionListError(path, f"video {video.video!r} occurs twice; join its actions")
        actions = [
            {"label": action.label, "start": float(action.start), "end": float(action.end)}
            for action in video.actions
        ]
        duration = None if video.duration is None else float(video.duration)
        entries[video.video] = {
            "video": video.video,
            "duration": duration,
            "split": video.split,
            "actions": actions,
        }
    if not entries:
        raise ActionListError(path, "there are no videos to write")
    write_json(path, {"actions_version": VERSION, "videos": list(entries.values())})


def _own(builder: ActionListBuilder, content: dict) -> list[AnnotatedVideo]:
    if content["actions_version"] != VERSION:
        raise builder.error(
            f"this is no list of actions_version {VERSION}; update keras_video to read others. "
            f"Received: {content['actions_version']!r}"
        )
    for facts in _dicts(builder, content, "videos", "the list"):
        name = facts.get("video")
        actions = [
            (action.get("start"), action.get("end"), action.get("label"))
            for action in _dicts(builder, facts, "actions", f"video {name!r}")
        ]
        split = builder.split_of(facts.get("split", "train"), name)
        builder.add(name, facts.get("duration"), split, actions)
    return builder.finish()


def _football(builder: ActionListBuilder, content: dict) -> list[AnnotatedVideo]:
    split = SPLIT_NAMES.get(Path(builder.path).stem.lower().rpartition("_")[2], "train")
    for facts in _dicts(builder, content, "gts", "the list"):
        name = facts.get("url")
        actions = []
        for action in _dicts(builder, facts, "actions", f"video {name!r}"):
            labels = action.get("label_names")
            if not isinstance(labels, list) or not labels:
                raise builder.error(
                    f"an action of {name!r} has no label_names. Received: {action!r:.100}"
                )
            times = (action.get("start_id"), action.get("end_id"))
            actions += [(*times, label) for label in labels]
        builder.add(name, facts.get("total_frames"), split, actions)
    return builder.finish()


def _dicts(builder: ActionListBuilder, facts: dict, key: str, what: str) -> list[dict]:
    """The list of entries below a key."""
    entries = facts.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise builder.error(
            f'{what} must have a list "{key}" of entries. Received: {entries!r:.100}'
        )
    return entries
