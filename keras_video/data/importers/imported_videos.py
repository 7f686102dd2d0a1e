"""What an importer finds, and how it looks for the files of annotated videos."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_video.data.find_videos import VIDEO_SUFFIXES
from keras_video.data.video_list import VideoList
from keras_video.data.video_record import VideoRecord

_PICTURE = re.compile(r".*\d\.(jpe?g|png|webp|bmp)", re.IGNORECASE)
_LISTED = 5


@dataclass(frozen=True)
class ImportedVideos:
    """The videos of an annotation file.

    Attributes:
        videos: a `VideoList` of those that are there, in the annotation's order.
        missing: names of those that are not.

    Example:

    >>> found = import_ucf101("ucfTrainTestlist/", "UCF-101/", split=1, subset="train")
    >>> print(found.report())
    9537 videos of 101 classes
    >>> found.videos.write("ucf101/train.list")
    """

    videos: VideoList
    missing: tuple[str, ...] = ()

    def report(self) -> str:
        """Says in a few lines what is there and what is missing."""
        classes = len({record.label for record in self.videos})
        lines = [f"{len(self.videos)} videos of {classes} classes"]
        if self.missing:
            total = len(self.videos) + len(self.missing)
            lines.append(f"{len(self.missing)} of {total} annotated videos are missing:")
            lines += [f"  {name}" for name in self.missing[:_LISTED]]
            if len(self.missing) > _LISTED:
                lines.append(f"  ... and {len(self.missing) - _LISTED} more")
        return "\n".join(lines)


class VideoFinder:
    """Finds videos, or folders of their pictures, below a folder by name, whatever the suffix.

    Args:
        root: the folder; it is walked through once.

    Raises:
        ValueError: there is no such folder.
    """

    def __init__(self, root: str | os.PathLike):
        self.root = os.fspath(root)
        if not os.path.isdir(self.root):
            raise ValueError(f"There is no such folder of videos. Received: {self.root!r}")
        self._paths: dict[str, list[str]] = {}
        for folder, folders, files in os.walk(self.root):
            folders.sort()
            for file in sorted(files):
                stem, suffix = os.path.splitext(file)
                if suffix.lower() in VIDEO_SUFFIXES:
                    self._paths.setdefault(stem, []).append(os.path.join(folder, file))
            if any(map(_PICTURE.fullmatch, files)):
                self._paths.setdefault(os.path.basename(folder), []).append(folder)

    def find(self, name: str, folder: str | None = None) -> str | None:
        """The path of a video by its name without suffix.

        Args:
            name: the name.
            folder: a class; among several of the name, the one in a folder of that name is it.
        """
        paths = self._paths.get(name, [])
        if len(paths) > 1 and folder is not None:
            wanted = _plain(folder)
            paths = [p for p in paths if _plain(Path(p).parent.name) == wanted] or paths
        return paths[0] if paths else None


def collect(
    finder: VideoFinder,
    annotations: Iterable[tuple[Sequence[str], str | None]],
    labels: Sequence[str],
) -> ImportedVideos:
    """Looks for annotated videos.

    Args:
        finder: where to look.
        annotations: `(names to look for, class)` of each video, the class by its name.
        labels: the classes' names in order of their numbers.

    Raises:
        ValueError: not one video is there, or a class has no number.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    records, missing = [], []
    for names, label in annotations:
        if label is not None and label not in numbers:
            raise ValueError(
                f"A class is not among the {len(numbers)} of `labels`. "
                f"Received: {label!r} of {names[0]!r}"
            )
        path = next(filter(None, (finder.find(name, label) for name in names)), None)
        if path is None:
            missing.append(names[0])
        else:
            records.append(VideoRecord(path, None if label is None else numbers[label]))
    if not records:
        example = f", such as {missing[0]!r}" if missing else ""
        raise ValueError(
            f"None of the {len(missing)} annotated videos{example} is below the folder. "
            f"Received: {finder.root!r}"
        )
    return ImportedVideos(VideoList(records, labels), tuple(missing))


def read_text(path: str | os.PathLike) -> str:
    """The text of an annotation file.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"The annotations cannot be read: {error}. Received: {os.fspath(path)!r}"
        ) from None


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()
