"""`read_activitynet` and the result files of ActivityNet's evaluation."""

import os
import re
from collections.abc import Mapping, Sequence

from keras_video.localization.action_list_builder import ActionListBuilder, read_json, write_json
from keras_video.localization.action_list_error import ActionListError
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.detection import Detection
from keras_video.localization.proposal import Proposal
from keras_video.presets.errors import one_line

# An id of YouTube has 11 characters, and may itself begin with v_.
_YOUTUBE_ID = re.compile(r"(v_)?([A-Za-z0-9_-]{11})")


def read_activitynet(
    path: str | os.PathLike,
    split: str | None = None,
    prefix: str | None = None,
    invalid: str = "error",
) -> list[AnnotatedVideo]:
    """Reads annotations of ActivityNet, or of other videos in one of its two forms.

    The official one is `{"database": {id: {"duration", "subset", "annotations"}}}`; the other, in
    which the features of BMN come, `{video: {"duration_second", "subset", "annotations"}}`. An
    annotation is `{"segment": [start, end], "label"}`, in seconds. A missing duration is `None`.

    Args:
        path: the JSON file.
        split: `"train"`, `"val"` or `"test"`, ActivityNet's training, validation and testing; by
            default all videos.
        prefix: the official files name videos by YouTube's id, others put `v_` before it. `"v_"`
            or `""` gives all ids this form; names that are no id of 11 characters stay as they
            are. By default all do.
        invalid: what becomes of actions that end before they start, or a second or more after
            their video: `"error"` (default), or `"skip"` to leave them out, with a warning.

    Returns:
        `AnnotatedVideo`s in the file's order. Actions that end less than a second after their video
        are cut, with an `ActionListWarning`.

    Raises:
        ActionListError: no such file, or content that cannot be; the message names the video.

    Example:

    >>> videos = read_activitynet("activity_net.v1-3.min.json", split="val")
    >>> truth = {video.video: video.actions for video in videos}
    """
    return activitynet_videos(path, read_json(path), split, prefix, invalid)


def activitynet_videos(path, content, split, prefix, invalid) -> list[AnnotatedVideo]:
    """The videos of a file that has been read already."""
    builder = ActionListBuilder(path, split, invalid)
    if isinstance(content, dict) and "database" in content:
        content = content["database"]
    if not is_activitynet(content):
        raise builder.error(
            'this is no list of ActivityNet: {"database": {id: {"subset", "annotations"}}} or '
            '{video: {"duration_second", "subset", "annotations"}}. '
            f"Received: {content!r:.100}"
        )
    for name, facts in content.items():
        if not isinstance(facts, dict) or not isinstance(facts.get("annotations", []), list):
            raise builder.error(
                f'video {name!r} must have a "subset" and a list "annotations". '
                f"Received: {facts!r:.100}"
            )
        actions = [
            _annotation(builder, name, annotation) for annotation in facts.get("annotations", [])
        ]
        builder.add(
            _with_prefix(name, prefix),
            facts.get("duration_second", facts.get("duration")),
            builder.split_of(facts.get("subset"), name),
            actions,
        )
    return builder.finish()


def is_activitynet(content) -> bool:
    """Whether content is in one of the two forms."""
    if not isinstance(content, dict) or not content:
        return False
    if "database" in content:
        return True
    first = next(iter(content.values()))
    return isinstance(first, dict) and "subset" in first


def write_activitynet_results(
    path: str | os.PathLike,
    results: Mapping[str, Sequence[Proposal | Detection]],
    version: str = "VERSION 1.3",
    prefix: str | None = None,
) -> None:
    """Writes proposals or detections as ActivityNet's evaluation reads them.

    Args:
        path: the JSON file; folders are made.
        results: `{video: proposals or detections}`.
        version: of the data set. Defaults to ActivityNet 1.3's.
        prefix: `""` writes YouTube's ids without `v_`, as the official truth has them; see
            `read_activitynet`. By default names stay as they are.

    Raises:
        ActionListError: it cannot be written, or two videos get the same name.
        ValueError: results of another form.

    Example:

    >>> write_activitynet_results("results.json", {"v_QOlSCBRmfWY": [Proposal(2.5, 9.0, 0.8)]})
    """
    written: dict[str, list[dict]] = {}
    for video, found in results.items():
        name = _with_prefix(video, prefix)
        if name in written:
            raise ActionListError(path, f"two videos would get the name {name!r}; keep one of them")
        written[name] = [_entry(video, item) for item in found]
    write_json(path, {"version": version, "results": written, "external_data": {}})


def read_activitynet_results(
    path: str | os.PathLike, prefix: str | None = None
) -> dict[str, list[Proposal | Detection]]:
    """Reads a result file of ActivityNet, such as `write_activitynet_results` writes.

    Args:
        path: the JSON file.
        prefix: see `read_activitynet`.

    Returns:
        `{video: results}`: a `Detection` where there is a label, else a `Proposal`.

    Raises:
        ActionListError: no such file, or content that cannot be; the message names the video.

    Example:

    >>> average_recall(read_activitynet_results("results.json"), truth).auc
    67.23
    """
    content = read_json(path)
    found = content.get("results") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise ActionListError(
            path, f'results are {{"results": {{video: [...]}}}}. Received: {content!r:.100}'
        )
    results: dict[str, list[Proposal | Detection]] = {}
    for video, entries in found.items():
        name = _with_prefix(video, prefix)
        if name in results:
            raise ActionListError(path, f"video {name!r} occurs twice; keep one of them")
        if not isinstance(entries, list):
            raise ActionListError(path, f"video {video!r} has no list. Received: {entries!r:.100}")
        results[name] = [_result(path, video, entry) for entry in entries]
    return results


def _with_prefix(name, prefix: str | None):
    if prefix not in (None, "", "v_"):
        raise ValueError(f'`prefix` is "v_", "" or None. Received: prefix={prefix!r}')
    match = _YOUTUBE_ID.fullmatch(name) if isinstance(name, str) else None
    return name if prefix is None or match is None else f"{prefix}{match[2]}"


def _annotation(builder: ActionListBuilder, video: str, annotation) -> tuple:
    segment = annotation.get("segment") if isinstance(annotation, dict) else None
    if not isinstance(segment, list) or len(segment) != 2:
        raise builder.error(
            f'an annotation of {video!r} must be {{"segment": [start, end], "label": name}}. '
            f"Received: {annotation!r:.100}"
        )
    return (*segment, annotation.get("label"))


def _entry(video: str, item: Proposal | Detection) -> dict:
    if not isinstance(item, (Proposal, Detection)):
        raise ValueError(f"Results are Proposals or Detections. Received: {item!r} of {video!r}")
    entry = {"score": float(item.score), "segment": [float(item.start), float(item.end)]}
    return {**entry, "label": item.label} if isinstance(item, Detection) else entry


def _result(path, video: str, entry) -> Proposal | Detection:
    try:
        start, end = entry["segment"]
        if "label" in entry:
            return Detection(start, end, entry["score"], entry["label"])
        return Proposal(start, end, entry["score"])
    except (TypeError, KeyError, ValueError) as error:
        raise ActionListError(
            path,
            f'a result of {video!r} must be {{"segment": [start, end], "score": number}}, with a '
            f"label for detections ({one_line(error)}). Received: {entry!r:.100}",
        ) from None
