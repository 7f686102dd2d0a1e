"""`TagList`: videos with several tags each, from a CSV file."""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_video.presets.errors import did_you_mean

COLUMNS = ("video", "tags", "split")
SPLITS = ("train", "val", "test")


class TaggedVideo(NamedTuple):
    """A video and its tags.

    Attributes:
        source: path or URL of the video.
        tags: names, each once.
        split: `"train"`, `"val"`, `"test"`, or `None`.
    """

    source: str
    tags: tuple[str, ...]
    split: str | None = None


class TagList(Sequence):
    """Videos with several tags each, and the names of all tags in the order of their numbers.

    Args:
        videos: `TaggedVideo`s.
        labels: names of the tags; by default those of the videos, sorted. A name that occurs
            twice keeps both numbers; videos with that tag have the first.

    Attributes:
        videos: tuple of `TaggedVideo`.
        labels: tuple of names.

    Raises:
        ValueError: no videos, a video twice, or a tag that `labels` hasn't.

    Example:

    >>> tags = TagList.read("tags.csv")
    >>> train, val = tags.split(0.2, seed=0)
    >>> train.targets().shape
    (320, 12)
    """

    def __init__(self, videos: Iterable[TaggedVideo], labels: Iterable[str] | None = None):
        self.videos = tuple(videos)
        if not self.videos:
            raise ValueError("A list of tags needs videos. Received: 0 videos")
        if isinstance(labels, str):
            raise ValueError(f"`labels` is a list of names. Received: labels={labels!r}")
        used = {tag for video in self.videos for tag in video.tags}
        self.labels = tuple(sorted(used) if labels is None else labels)
        unknown = sorted(used - set(self.labels))
        if unknown:
            raise ValueError(
                f"{len(unknown)} tags are not among the {len(self.labels)} known ones."
                f"{did_you_mean(unknown[0], self.labels)} Received: "
                f"{', '.join(map(repr, unknown[:5]))}"
            )
        twice = [
            name for name, count in Counter(v.source for v in self.videos).items() if count > 1
        ]
        if twice:
            raise ValueError(
                "A video stands in one line, with all of its tags. "
                f"Received: {twice[0]!r} in more than one"
            )
        # The first of equal names, as lists of labels with doubles are read.
        self._numbers = {name: i for i, name in reversed(list(enumerate(self.labels)))}

    @classmethod
    def read(
        cls,
        path: str | os.PathLike,
        root: str | os.PathLike | None = None,
        labels: Iterable[str] | None = None,
    ) -> "TagList":
        """Reads a CSV file with the columns `video` and `tags`, and perhaps `split`.

        Tags of a video are separated by `|`; a video may have none. `split` is `train`, `val` or
        `test`. Other columns are left alone.

        Args:
            path: the file, UTF-8, with a header.
            root: folder that relative paths start from, by default the file's own.
            labels: see `TagList`.

        Raises:
            ValueError: no such file, or one of another form; the message names the line.
        """
        path = Path(path)
        root = path.parent if root is None else Path(root)
        try:
            # Spreadsheets put a mark before the first line.
            with open(path, encoding="utf-8-sig", newline="") as file:
                rows = list(_rows(csv.DictReader(file), path, root))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(
                f"The list of tags cannot be read: {error}. Received: {str(path)!r}"
            ) from None
        if not rows:
            raise ValueError(f"The list has no videos. Received: {str(path)!r}")
        return cls(rows, labels)

    def write(self, path: str | os.PathLike) -> None:
        """Writes the list as `read` reads it; relative paths start from the file's folder."""
        path = Path(path)
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for video in self.videos:
                source = video.source
                if "://" not in source:
                    source = os.path.relpath(source, path.parent)
                writer.writerow((source, "|".join(video.tags), video.split or ""))

    def numbers(self, video: TaggedVideo) -> tuple[int, ...]:
        """The tags' numbers, ascending."""
        return tuple(sorted(self._numbers[tag] for tag in video.tags))

    def targets(self) -> np.ndarray:
        """Which video has which tag: float32 `(videos, tags)` of 0 and 1."""
        targets = np.zeros((len(self.videos), len(self.labels)), "float32")
        for row, video in zip(targets, self.videos, strict=True):
            row[list(self.numbers(video))] = 1
        return targets

    def subset(self, split: str) -> "TagList | None":
        """The videos of a split, with all labels; `None` where there are none."""
        videos = [video for video in self.videos if video.split == split]
        return TagList(videos, self.labels) if videos else None

    def split(self, fraction: float, seed: int = 0) -> tuple["TagList", "TagList"]:
        """Parts the videos so that every tag keeps its share in both parts, as far as it can.

        The rarest tags are dealt first (iterative stratification, Sechidis et al. 2011).

        Args:
            fraction: share of the second part, between 0 and 1.
            seed: of the random order.

        Returns:
            Two lists with the same labels.

        Raises:
            ValueError: a fraction out of range, or too few videos for two parts.
        """
        if not 0 < fraction < 1 or len(self.videos) < 2:
            raise ValueError(
                "A split needs a share between 0 and 1, and two videos. "
                f"Received: fraction={fraction!r}, {len(self.videos)} videos"
            )
        second = _stratified(self.targets().astype(bool), fraction, np.random.default_rng(seed))
        parts = [
            [v for v, chosen in zip(self.videos, second, strict=True) if chosen == part]
            for part in (False, True)
        ]
        return TagList(parts[0], self.labels), TagList(parts[1], self.labels)

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index):
        return self.videos[index]


def _rows(reader: csv.DictReader, path: Path, root: Path):
    columns = reader.fieldnames or ()
    missing = [name for name in COLUMNS[:2] if name not in columns]
    if missing:
        raise ValueError(
            f"{path}, line 1: the header must name the columns video and tags. "
            f"Received: {','.join(columns)!r}"
        )
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        source, split = (row["video"] or "").strip(), (row.get("split") or "").strip() or None
        if not source:
            raise ValueError(f"{where}: there is no video. Received: {row!r:.100}")
        if None in row:
            raise ValueError(
                f"{where}: more fields than the header has; put quotes around fields with commas, "
                f"and | between tags. Received: {row[None]!r:.100}"
            )
        if split not in (None, *SPLITS):
            raise ValueError(f"{where}: split is train, val or test. Received: {split!r}")
        if "://" not in source:
            source = str(root / source)
        tags = [tag.strip() for tag in (row["tags"] or "").split("|")]
        yield TaggedVideo(source, tuple(dict.fromkeys(tag for tag in tags if tag)), split)


def _stratified(has: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Which rows of `(videos, tags)` go to the second part."""
    count = len(has)
    order = rng.permutation(count)
    is_open = np.ones(count, bool)
    second = np.zeros(count, bool)
    shares = np.array([1 - fraction, fraction])
    # What the parts still should get: of each tag, and of videos.
    wanted = shares[:, None] * has.sum(axis=0)
    room = np.array([0, min(max(round(fraction * count), 1), count - 1)])
    room[0] = count - room[1]

    def place(row: int, part: int) -> None:
        part = part if room[part] else 1 - part
        is_open[row], second[row] = False, bool(part)
        room[part] -= 1
        wanted[part, has[row]] -= 1

    while (left := (has & is_open[:, None]).sum(axis=0)).any():
        tag = int(np.argmin(np.where(left > 0, left, count + 1)))
        for row in order[has[order, tag] & is_open[order]]:
            first_lacks, second_lacks = wanted[:, tag]
            even = np.isclose(first_lacks, second_lacks)
            place(row, int(np.argmax(room / shares) if even else second_lacks > first_lacks))
    for row in order[is_open[order]]:
        place(row, int(np.argmax(room / shares)))
    return second
