"""`check_youtube8m`: reads every record of YouTube-8M, or of a part, and says what is wrong."""

import itertools
import os
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_video.data.dataset_check import DatasetDefect
from keras_video.data.feature_example import parse_example, peek_example
from keras_video.data.feature_file import FeaturePlace
from keras_video.data.feature_read_error import FeatureReadError
from keras_video.data.parallel_map import parallel_map
from keras_video.data.tfrecord_file import RecordHead, read_record, scan_records
from keras_video.data.wire_format import WireFormatError

SPLITS = ("train", "validate", "test")
NUM_SHARDS = 3844
NUM_CLASSES = 3862
WIDTHS = {"rgb": 1024, "audio": 128, "mean_rgb": 1024, "mean_audio": 128}
YOUTUBE8M_DEFECTS = {
    "name": "a file that is no shard of YouTube-8M",
    "missing": "a shard that is not there",
    "unreadable": "a shard that is empty, cut off or damaged",
    "damaged": "a record with another checksum, or that is no example",
    "unnamed": "a record without an id",
    "unlabelled": "a record without labels",
    "label": "a class number out of range",
    "frames": "no frames, or not equally many of all modalities",
    "features": "a modality is missing or has another number of channels",
    "duplicate": "the same video twice in one split",
    "leak": "the same video in two splits",
}
_NAME = re.compile(rf"({'|'.join(SPLITS)})(\d{{4}}|[0-9a-zA-Z]{{2}})\.tfrecord")
_LETTERS = string.digits + string.ascii_letters
_PEEK = 8192


@dataclass
class Youtube8MSplit:
    """What there is of a split.

    Attributes:
        shards: number of its files.
        missing: names of the files that a whole split has beside them.
        records: number of videos.
        frames: of all videos.
        labels: of all videos.
        bytes: size of the files.
    """

    shards: int = 0
    missing: list[str] = field(default_factory=list)
    records: int = 0
    frames: int = 0
    labels: int = 0
    bytes: int = 0


@dataclass
class Youtube8MReport:
    """What `check_youtube8m` found.

    Attributes:
        splits: by name; video-level records are splits of their own, `"train (video-level)"`.
        defects: each with its file, and the byte at which its record begins.
    """

    splits: dict[str, Youtube8MSplit] = field(default_factory=dict)
    defects: list[DatasetDefect] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Number of defects of each kind, without kinds that did not occur."""
        found = Counter(defect.kind for defect in self.defects)
        return {kind: found[kind] for kind in YOUTUBE8M_DEFECTS if found[kind]}

    def to_dict(self) -> dict:
        """The report as plain lists and dictionaries, for JSON."""
        return {**asdict(self), "counts": self.counts, "ok": not self.defects}


class _Shard(NamedTuple):
    path: str
    split: str
    number: str


class _Inspection(NamedTuple):
    """What is in a shard; `ids` and `offsets` are of all records that could be read."""

    shard: _Shard
    split: str
    frames: int
    labels: int
    ids: np.ndarray
    offsets: np.ndarray
    defects: list[DatasetDefect]


def check_youtube8m(
    root: str | os.PathLike,
    *,
    splits: Sequence[str] = SPLITS,
    complete: bool = False,
    checksums: bool = True,
    num_classes: int = NUM_CLASSES,
    widths: Mapping[str, int] = WIDTHS,
    workers: int | None = None,
    progress: Callable[[int], AbstractContextManager] | None = None,
) -> Youtube8MReport:
    """Reads the TFRecords of YouTube-8M below a folder, frame-level or video-level, or both.

    A part of the set is no defect: the report counts the shards. Videos are told apart by their
    ids; of two with one id the later is the defect.

    Args:
        root: the folder; subfolders are searched.
        splits: which of `"train"`, `"validate"` and `"test"` to look at.
        complete: shards that are not there are defects.
        checksums: read all bytes and compare checksums; else only the beginnings of records, which
            takes seconds, and finds files that are cut off and wrong labels.
        num_classes: class numbers go from 0 to below.
        widths: channels of the modalities that there may be.
        workers: threads, by default as many as cores.
        progress: called with the number of shards, once they are found; returns a context manager
            that gives a function to be called after each shard.

    Returns:
        A `Youtube8MReport`.

    Raises:
        ValueError: there is no such folder, or no shard in it.

    Example:

    >>> report = check_youtube8m("/data/yt8m")
    >>> report.splits["train"].shards, report.counts
    (12, {'unreadable': 1})
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"There is no such folder. Received: {root}")
    report = Youtube8MReport()
    shards = _find_shards(root, splits, report)
    if not shards:
        raise ValueError(
            f"There are no shards of {', '.join(splits)}, such as {splits[0]}0000.tfrecord, in "
            f"this folder. Received: {root}"
        )
    inspect = partial(_inspect, checksums=checksums, num_classes=num_classes, widths=widths)
    inspections = []
    with nullcontext(lambda: None) if progress is None else progress(len(shards)) as advance:
        for found in parallel_map(inspect, shards, workers):
            report.defects += found.defects
            inspections.append(found)
            advance()
    _count(report, inspections, complete)
    report.defects += _copies(inspections)
    return report


def _find_shards(root: Path, splits: Sequence[str], report: Youtube8MReport) -> list[_Shard]:
    shards = []
    for path in sorted(root.rglob("*.tfrecord")):
        match = _NAME.fullmatch(path.name)
        if match is None or (len(match[2]) == 4 and int(match[2]) >= NUM_SHARDS):
            reason = (
                "shards are called train0000.tfrecord to train3843.tfrecord, or with two letters "
                "or digits, trainAb.tfrecord; validate and test likewise"
            )
            report.defects.append(DatasetDefect("name", root.name, str(path), None, reason))
        elif match[1] in splits:
            shards.append(_Shard(str(path), match[1], match[2]))
    return sorted(shards, key=lambda shard: (SPLITS.index(shard.split), shard.path))


def _inspect(shard: _Shard, checksums: bool, num_classes: int, widths: Mapping) -> _Inspection:
    ids, offsets, defects = [], [], []
    frames = labels = 0
    split = shard.split

    def add(kind: str, place: str, reason: str) -> None:
        defects.append(DatasetDefect(kind, split, place, None, reason))

    try:
        for number, head in enumerate(scan_records(shard.path, peek=_PEEK)):
            place = str(FeaturePlace(shard.path, head.offset))
            try:
                video = _read(shard.path, head, checksums, whole=not number)
            except FeatureReadError as error:
                add("damaged", place, error.reason)
                continue
            except WireFormatError as error:
                add("damaged", place, str(error))
                continue
            if not number and _is_video_level(video):
                split = f"{shard.split} (video-level)"
            ids.append((video.id or "").encode("utf-8", "surrogateescape"))
            offsets.append(head.offset)
            frames += max(video.lengths.values(), default=0)
            labels += len(video.labels or ())
            for kind, reason in _wrong(video, shard.split, num_classes, widths):
                add(kind, place, reason)
    except OSError as error:
        add("unreadable", shard.path, error.strerror or str(error))
    except FeatureReadError as error:
        add("unreadable", error.path, error.reason)
    return _Inspection(
        shard, split, frames, labels, np.array(ids, bytes), np.array(offsets, np.int64), defects
    )


class _Video(NamedTuple):
    """What is to be checked of a record; widths are empty where only its beginning was read."""

    id: str | None
    labels: Sequence[int] | None
    lengths: dict[str, int]
    widths: dict[str, int]


def _read(path: str, head: RecordHead, checksums: bool, whole: bool) -> _Video:
    found = None if checksums or whole else peek_example(head.data, head.size)
    if found is not None:
        return _Video(found[0], found[1], {"": found[2]}, {})
    stored = parse_example(read_record(path, head.offset))
    lengths = {name: len(array) for name, array in stored.arrays.items()}
    widths = {name: array.shape[1] for name, array in stored.arrays.items()}
    return _Video(stored.id, stored.labels, lengths, widths)


def _wrong(
    video: _Video, split: str, num_classes: int, widths: Mapping
) -> Iterator[tuple[str, str]]:
    """Kind and reason of each thing that is wrong with a video."""
    if not video.id:
        yield "unnamed", "the record has no id"
    if not video.labels and split != "test":
        yield "unlabelled", "the record has no labels"
    wrong = [label for label in video.labels or () if not 0 <= label < num_classes]
    if wrong:
        yield "label", f"labels go from 0 to {num_classes - 1}; this has {wrong}"
    if not video.lengths or not all(video.lengths.values()):
        yield "frames", f"no frames: {video.lengths or 'no features at all'}"
        return
    if len(set(video.lengths.values())) > 1:
        yield "frames", f"not equally many frames: {video.lengths}"
    if not video.widths:
        return
    is_mean = _is_video_level(video)
    expected = {
        name: widths[name] for name in sorted(widths) if name.startswith("mean_") == is_mean
    }
    if video.widths != expected:
        yield "features", f"channels should be {expected}; they are {video.widths}"


def _is_video_level(video: _Video) -> bool:
    return any(name.startswith("mean_") for name in video.widths)


def _count(report: Youtube8MReport, inspections: list[_Inspection], complete: bool) -> None:
    numbers: dict[str, set[str]] = {}
    for found in inspections:
        split = report.splits.setdefault(found.split, Youtube8MSplit())
        split.shards += 1
        split.records += len(found.ids)
        split.frames += found.frames
        split.labels += found.labels
        split.bytes += os.path.getsize(found.shard.path)
        numbers.setdefault(found.split, set()).add(found.shard.number)
    for name, there in numbers.items():
        split, kind = report.splits[name], name.partition(" ")[0]
        if any(len(number) == 4 for number in there):
            expected = (f"{number:04d}" for number in range(NUM_SHARDS))
        else:
            expected = map("".join, itertools.product(_LETTERS, repeat=2))
        split.missing = [f"{kind}{number}.tfrecord" for number in expected if number not in there]
        if complete:
            reason = f"one of the {NUM_SHARDS} shards of {kind}"
            report.defects += [
                DatasetDefect("missing", name, missing, None, reason) for missing in split.missing
            ]


def _copies(inspections: list[_Inspection]) -> list[DatasetDefect]:
    """Videos of one id, of frame-level and of video-level records for themselves."""
    defects = []
    for level in (False, True):
        chosen = [found for found in inspections if found.split.endswith(")") == level]
        if not chosen:
            continue
        ids = np.concatenate([found.ids for found in chosen])
        offsets = np.concatenate([found.offsets for found in chosen])
        shards = np.repeat(np.arange(len(chosen)), [len(found.ids) for found in chosen])
        order = np.argsort(ids, kind="stable")
        same = np.concatenate([[False], ids[order][1:] == ids[order][:-1]]) & (ids[order] != b"")
        first = np.maximum.accumulate(np.where(same, 0, np.arange(len(ids))))
        for place in np.flatnonzero(same):
            copy, original = order[place], order[first[place]]
            ours, theirs = chosen[shards[copy]], chosen[shards[original]]
            source = str(FeaturePlace(ours.shard.path, int(offsets[copy])))
            other = str(FeaturePlace(theirs.shard.path, int(offsets[original])))
            name = ids[copy].decode("utf-8", "replace")
            kind = "duplicate" if ours.split == theirs.split else "leak"
            reason = f"video {name} is also {other} of {theirs.split}"
            defects.append(DatasetDefect(kind, ours.split, source, None, reason, other))
    return defects
