"""`list_videos`: from what a user names to videos with the names of their features."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from keras_video.data.find_videos import VIDEO_SUFFIXES, find_videos
from keras_video.data.video_list import VideoList

_LIST_SUFFIXES = (".list", ".txt", ".csv", ".lst")


class ListedVideo(NamedTuple):
    """A video to extract.

    Attributes:
        name: its path below the folder of the videos, with `/`; what the index calls it.
        source: what `open_video` takes.
        path: the absolute path, or the URL.
        stamp: size and time of change; changes when the video does. `None` where there is none.
        labels: class numbers, or `None`.
    """

    name: str
    source: str
    path: str
    stamp: list[int] | None
    labels: tuple[int, ...] | None


def list_videos(videos, root: str | os.PathLike | None = None) -> list[ListedVideo]:
    """Lists videos, each once, in order of their names.

    Args:
        videos: a video, a folder (with its subfolders), a pattern, or a list: a text file with a
            line `path labels...` for each video; or several of these; or a `VideoList`.
        root: the folder that names start from; where a list's relative paths start, too. By
            default that of a single folder or list, else the deepest one that has all videos.

    Raises:
        VideoNotFoundError: there is nothing.
        ValueError: a list that is none, or one video with different labels.
    """
    base = None if root is None else os.fspath(root)
    if isinstance(videos, VideoList):
        found = [
            (record.source, None if record.label is None else (record.label,)) for record in videos
        ]
    else:
        single = isinstance(videos, str | os.PathLike)
        sources = [os.fspath(each) for each in ([videos] if single else videos)]
        found = [video for source in sources for video in _found(source, base)]
        if base is None and len(sources) == 1:
            base = _root_of(sources[0], found)
    if not found:
        raise ValueError("There are no videos. Received: videos=[]")
    paths = [_absolute(source) for source, _ in found]
    local = [path for path in paths if "://" not in path]
    if base is None and local:
        base = os.path.commonpath([os.path.dirname(path) for path in local])
    base = "" if base is None else base if "://" in base else os.path.abspath(base)
    listed: dict[str, ListedVideo] = {}
    for path, (source, labels) in zip(paths, found, strict=True):
        video = ListedVideo(_name(path, base), source, path, _stamp(path), labels)
        other = listed.setdefault(video.name, video)
        if other != video:
            raise ValueError(
                f"{source} is listed twice, with the labels {other.labels} and {labels}. "
                "List it once, with all of its labels."
                if other.path == path
                else f"{other.source} and {source} would have features of one name. Give `root`, a "
                f"folder that holds both. Received: root={root!r}"
            )
    return [listed[name] for name in sorted(listed)]


def _root_of(source: str, found: list) -> str | None:
    """The folder of a single argument, if the videos are below it."""
    folder = os.path.abspath(source if os.path.isdir(source) else os.path.dirname(source) or ".")
    paths = [_absolute(video) for video, _ in found]
    inside = all(path.startswith(os.path.join(folder, "")) for path in paths)
    return folder if inside and not glob.has_magic(source) else None


def _found(source: str, root: str | None) -> list[tuple[str, tuple[int, ...] | None]]:
    if "://" in source:
        return [(source, None)]
    if source.lower().endswith(_LIST_SUFFIXES) and os.path.isfile(source):
        return _read_list(Path(source), root)
    return [(str(path), None) for path in find_videos(source)]


def _read_list(path: Path, root: str | None) -> list[tuple[str, tuple[int, ...] | None]]:
    """Lines `path labels...`; a path may have spaces, and ends where only numbers follow."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The list cannot be read: {error}. Received: {str(path)!r}") from None
    root = str(path.parent) if root is None else root
    found = []
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        source, labels = line, []
        while not _is_video(source):
            head, _, last = source.replace("\t", " ").rstrip().rpartition(" ")
            if not head or not last.isdecimal():
                break
            labels.insert(0, int(last))
            source = source[: len(head)].rstrip()
        if "://" not in source:
            source = os.path.join(root, source.removeprefix("./"))
        found.append((source, tuple(labels) or None))
    if not found:
        raise ValueError(f"The list is empty. Received: {str(path)!r}")
    return found


def _is_video(source: str) -> bool:
    return os.path.splitext(source)[1].lower() in VIDEO_SUFFIXES


def _absolute(source: str) -> str:
    return source if "://" in source else os.path.abspath(source)


def _name(path: str, base: str) -> str:
    if "://" in path:
        inside = path.removeprefix(base.rstrip("/") + "/") if base and "://" in base else path
        return inside.partition("://")[2] if "://" in inside else inside
    if "://" in base or not path.startswith(os.path.join(base, "")):
        # Outside of the root: the whole path, so that no two have one name.
        return path.lstrip("/\\").replace(":", "").replace(os.sep, "/")
    return os.path.relpath(path, base).replace(os.sep, "/")


def _stamp(path: str) -> list[int] | None:
    if "://" in path:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
