"""`VideoList`: the videos of a data set and the names of their classes."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_video.data.find_videos import VIDEO_SUFFIXES
from keras_video.data.video_record import VideoRecord
from keras_video.presets.label_files import read_labels, write_labels

LABELS_FILE = "labels.txt"
_PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp"))


class VideoList(Sequence):
    """Videos with their classes, in an order that never changes by itself.

    Args:
        records: `VideoRecord`s, or plain paths of videos without class.
        labels: the classes' names in order of their numbers, or `None`.

    Attributes:
        records: tuple of `VideoRecord`.
        labels: tuple of names, or `None`.

    Raises:
        ValueError: a record's class has no name, or only some records have a class.

    Example:

    >>> videos = VideoList.from_folder("videos/")
    >>> train, val = videos.split(0.2, seed=0)
    >>> train.write("data/train.list"), val.write("data/val.list")
    >>> VideoList.read("data/val.list").labels == videos.labels
    True
    """

    def __init__(self, records: Iterable, labels: Iterable[str] | None = None):
        self.records = tuple(
            record if isinstance(record, VideoRecord) else VideoRecord(record) for record in records
        )
        if isinstance(labels, str):
            raise ValueError(f"`labels` is a list of names. Received: labels={labels!r}")
        self.labels = None if labels is None else tuple(labels)
        labelled = sum(record.label is not None for record in self.records)
        if 0 < labelled < len(self.records):
            bare = next(record for record in self.records if record.label is None)
            raise ValueError(
                "Either all videos of a list have a class or none has. "
                f"Received: {labelled} of {len(self.records)} with a class, {bare.source!r} without"
            )
        if self.labels is not None and labelled:
            highest = max(self.records, key=lambda record: record.label)
            if highest.label >= len(self.labels):
                raise ValueError(
                    f"There are names for the classes 0 to {len(self.labels) - 1}. "
                    f"Received: class {highest.label} for {highest.source!r}"
                )

    @classmethod
    def from_folder(cls, root: str | os.PathLike, labels: Iterable[str] | None = None):
        """Lists a folder that has one folder of videos for each class.

        Videos are files with a video's suffix, and folders of numbered pictures. Subfolders of a
        class are searched; hidden files and folders are left out. Names are sorted.

        Args:
            root: the folder.
            labels: the classes' names, which are the folders' names, in order of their numbers;
                by default sorted. Folders of other names are an error.

        Raises:
            ValueError: no such folder, no videos in it, or a folder that is no class.
        """
        root = Path(root)
        if not root.is_dir():
            raise ValueError(f"There is no such folder. Received: root={str(root)!r}")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not _hidden(path))
        found = {folder.name: sorted(_videos_below(folder)) for folder in folders}
        found = {name: paths for name, paths in found.items() if paths}
        if not found:
            raise ValueError(
                "The folder must hold a folder of videos for each class, such as "
                f"{root}/archery/one.mp4. Received: root={str(root)!r}"
            )
        names = tuple(found) if labels is None else tuple(labels)
        unknown = sorted(set(found) - set(names))
        if unknown:
            raise ValueError(
                f"{len(unknown)} of the folders in {root} are no class of `labels`. "
                f"Received: {', '.join(map(repr, unknown[:5]))}"
            )
        numbers = {name: number for number, name in enumerate(names)}
        records = [VideoRecord(str(p), numbers[name]) for name in found for p in found[name]]
        return cls(records, names)

    @classmethod
    def read(
        cls,
        path: str | os.PathLike,
        root: str | os.PathLike | None = None,
        labels: Iterable[str] | None = None,
    ):
        """Reads a list with one video a line: `path label`, or `folder num_frames label`.

        The label is the class number. Paths may contain spaces. A line without a number at its
        end is a video without class. Empty lines and lines that start with `#` are left out.

        Args:
            path: the list, UTF-8.
            root: folder that relative paths start from, by default the list's own. It may be
                the start of a URL.
            labels: the classes' names, by default those of a `labels.txt` next to the list.

        Raises:
            ValueError: no such file, or one that holds no list; the message names the line.
        """
        path = Path(path)
        try:
            # Spreadsheets put a mark before the first line; names may hold exotic line breaks.
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The list cannot be read: {error}. Received: {str(path)!r}") from None
        if labels is None and (path.parent / LABELS_FILE).is_file():
            labels = read_labels(path.parent / LABELS_FILE)
        root = str(path.parent) if root is None else os.fspath(root)
        records, bare = [], []
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                source, label, num_frames = _parse_line(line.strip())
                records.append(VideoRecord(_below(root, source), label, num_frames))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
            if label is None:
                bare.append((number, line.strip()))
        if not records:
            raise ValueError(f"The list is empty. Received: {str(path)!r}")
        if 0 < len(bare) < len(records):
            number, line = bare[0]
            raise ValueError(
                f"{path}, line {number}: no class number at the end, after a space or tab, though "
                f"{len(records) - len(bare)} of {len(records)} lines have one. Received: {line!r}"
            )
        try:
            return cls(records, labels)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def write(self, path: str | os.PathLike) -> None:
        """Writes the list, and the classes' names to a `labels.txt` next to it.

        Videos below the list's folder are written relative to it, so the folder can be moved.

        Raises:
            ValueError: another `labels.txt` is there already, or a path that no list can hold: with
                a line break, or spaces at an end.
        """
        path = Path(path)
        lines = [list_line(record, path.parent) for record in self.records]
        if self.labels is not None:
            beside = path.parent / LABELS_FILE
            if beside.is_file() and tuple(read_labels(beside)) != self.labels:
                raise ValueError(
                    f"{beside} names other classes; lists of different classes need folders of "
                    f"their own. Received: path={str(path)!r}"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            write_labels(beside, self.labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def split(self, fraction: float, seed: int = 0) -> tuple["VideoList", "VideoList"]:
        """Splits at random, each class in the same proportion.

        Args:
            fraction: share of each class that goes to the second list. A class of two or more
                videos has at least one in both.
            seed: of the random choice.

        Returns:
            Two lists in this one's order, with all its labels.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"`fraction` is between 0 and 1. Received: fraction={fraction!r}")
        generator = np.random.default_rng(seed)
        second: set[int] = set()
        for members in self._by_class().values():
            count = round(len(members) * fraction)
            if len(members) > 1:
                count = min(max(count, 1), len(members) - 1)
            second.update(generator.permutation(members)[:count].tolist())
        return self.select(lambda place: place not in second), self.select(second.__contains__)

    def select(self, chosen: Callable[[int], bool]) -> "VideoList":
        """The list of the records at the places for which `chosen(place)` is true."""
        records = [record for place, record in enumerate(self.records) if chosen(place)]
        return VideoList(records, self.labels)

    @property
    def num_classes(self) -> int | None:
        """Number of names, else one more than the highest class; `None` without classes."""
        if self.labels is not None:
            return len(self.labels)
        if not self.records or self.records[0].label is None:
            return None
        return 1 + max(record.label for record in self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return VideoList(self.records[index], self.labels)
        return self.records[index]

    def __iter__(self) -> Iterator[VideoRecord]:
        return iter(self.records)

    def __eq__(self, other) -> bool:
        if not isinstance(other, VideoList):
            return NotImplemented
        return (self.records, self.labels) == (other.records, other.labels)

    def __hash__(self) -> int:
        return hash((self.records, self.labels))

    def __repr__(self) -> str:
        classes = "no classes" if self.num_classes is None else f"{self.num_classes} classes"
        return f"<VideoList: {len(self)} videos, {classes}>"

    def _by_class(self) -> dict[int | None, list[int]]:
        places: dict[int | None, list[int]] = {}
        for place, record in enumerate(self.records):
            places.setdefault(record.label, []).append(place)
        return dict(sorted(places.items(), key=lambda item: (item[0] is None, item[0] or 0)))


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _videos_below(folder: Path) -> Iterator[Path]:
    pictures = False
    for path in sorted(folder.iterdir()):
        if _hidden(path):
            continue
        if path.is_dir():
            yield from _videos_below(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            yield path
        elif path.suffix.lower() in _PICTURE_SUFFIXES and path.stem[-1:].isdigit():
            pictures = True
    if pictures:
        yield folder


def _parse_line(line: str) -> tuple[str, int | None, int | None]:
    separator = "\t" if "\t" in line else " "
    head, _, last = line.rpartition(separator)
    if not head or not _is_integer(last):
        if Path(line.rpartition(",")[0]).suffix.lower() in VIDEO_SUFFIXES:
            raise ValueError(
                "the class number follows after a space or tab, without a comma. "
                f"Received: {line!r}"
            )
        return line, None, None
    source, _, frames = head.rstrip().rpartition(separator)
    if source and frames.isdecimal() and Path(head.rstrip()).suffix.lower() not in VIDEO_SUFFIXES:
        return source.rstrip(), int(last), int(frames)
    return head.rstrip(), int(last), None


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _below(root: str, source: str) -> str:
    if "://" in source or os.path.isabs(source):
        return source
    if "://" in root:
        return f"{root.rstrip('/')}/{source}"
    source = source.removeprefix("./")
    return os.path.join(root, source) if root not in ("", ".") else source


def list_line(record: VideoRecord, folder: Path) -> str:
    """The line of a record in a list in that folder.

    Raises:
        ValueError: a path that no list can hold.
    """
    source = record.source
    if "://" not in source:
        absolute, base = os.path.abspath(source), os.path.abspath(folder)
        inside = absolute.startswith(os.path.join(base, ""))
        source = os.path.relpath(absolute, base) if inside else absolute
        # What starts with "#" would be a comment.
        source = f"./{source}" if source.startswith("#") else source
    num_frames = None if record.label is None else record.num_frames
    fields = [str(field) for field in (source, num_frames, record.label) if field is not None]
    # "clip 5", a folder of pictures, needs a tab: its 5 would be taken for a number of frames.
    for line in (" ".join(fields), "\t".join(fields)):
        if _means(line, (source, record.label, num_frames)):
            return line
    raise ValueError(
        "A list holds one video a line: its path must be text, without line breaks, and without "
        f"spaces at an end. Rename the video. Received: {record.source!r}"
    )


def _means(line: str, wanted: tuple) -> bool:
    """Whether a reader of the line gets what the writer meant."""
    try:
        text = line.encode().decode("utf-8-sig")
        return "\n" not in text and "\r" not in text and _parse_line(text.strip()) == wanted
    except ValueError:
        return False
