"""Something-Something v2."""

import json
import os

from keras_video.data.importers.imported_videos import (
    ImportedVideos,
    VideoFinder,
    collect,
    read_text,
)


def import_something_something(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    labels: str | os.PathLike,
) -> ImportedVideos:
    """Reads a JSON file of Something-Something v2.

    Args:
        annotations: `something-something-v2-train.json`, `...-validation.json` or `...-test.json`
            (`train.json` and the like in later packages): a list of `{"id", "template", ...}`.
        videos: the folder of the videos `<id>.webm`, or of folders with their pictures.
        labels: `something-something-v2-labels.json`, which gives every template, without the
            brackets around its objects, its number.

    Returns:
        An `ImportedVideos`. Videos without template (the test's) have no class.

    Raises:
        ValueError: files that are not of this form, or not one of the videos is there.

    Example:

    >>> found = import_something_something("train.json", "20bn-ssv2/", labels="labels.json")
    >>> found.videos.labels[0]
    'Approaching something with your camera'

    Reference:
        Goyal et al., The "something something" video database, 2017
        (https://arxiv.org/abs/1706.04261).
    """
    entries = _read_json(annotations, list, 'a list of {"id", "template"}')
    try:
        wanted = [([str(entry["id"])], _class(entry.get("template"))) for entry in entries]
    except (TypeError, KeyError, AttributeError):
        raise ValueError(
            f'Each entry must have an "id". Received: {os.fspath(annotations)!r}'
        ) from None
    return collect(VideoFinder(videos), wanted, _read_labels(labels))


def _read_labels(path) -> list[str]:
    numbers = _read_json(path, dict, "a name and a number for each class")
    try:
        names = {int(number): _class(name) for name, number in numbers.items()}
        return [names[number] for number in range(len(numbers))]
    except (TypeError, ValueError, KeyError):
        raise ValueError(
            f"The classes must be numbered from 0 on. Received: {os.fspath(path)!r}"
        ) from None


def _class(template: str | None) -> str | None:
    return template.replace("[", "").replace("]", "") if template else None


def _read_json(path, kind: type, form: str):
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"This is no JSON: {error}. Received: {os.fspath(path)!r}") from None
    if not isinstance(content, kind) or not content:
        raise ValueError(f"The file must hold {form}. Received: {os.fspath(path)!r}")
    return content
