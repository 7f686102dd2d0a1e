"""Opens every video of a data set and says what is wrong with it."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from keras_video.data.decoders import open_video
from keras_video.data.parallel_map import parallel_map
from keras_video.data.video_decode_error import VideoDecodeWarning
from keras_video.data.video_fingerprint import (
    FingerprintIndex,
    fingerprint_indices,
    fingerprint_thumbnail,
)

MIN_FRAMES = 8
DEFECTS = {
    "unreadable": "cannot be opened or decoded",
    "damaged": "some frames are damaged",
    "short": "fewer frames than a clip needs",
    "miscounted": "the list states another number of frames",
    "duplicate": "the same video twice in one list",
    "conflict": "the same video twice, as two classes",
    "leak": "the same video in two lists",
    "name": "a path that no list can hold",
    "class": "a class that is never trained",
}


@dataclass(frozen=True)
class DatasetDefect:
    """One thing that is wrong.

    Attributes:
        kind: one of `DEFECTS`.
        split: name of the list.
        source: the video, as the list names it; None for a defect of a whole class.
        label: its class number, if it has one.
        reason: what is wrong, in words.
        other: the video that this one copies, if it does.
    """

    kind: str
    split: str
    source: str | None
    label: int | None
    reason: str
    other: str | None = None


@dataclass
class DatasetReport:
    """What `check_dataset` found.

    Attributes:
        videos: number of videos of each list.
        frames: number of frames of each list, of the videos that could be opened.
        classes: for each class its number of videos in each list.
        defects: in the order of the lists.
    """

    videos: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    defects: list[DatasetDefect] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Number of defects of each kind, without kinds that did not occur."""
        found = Counter(defect.kind for defect in self.defects)
        return {kind: found[kind] for kind in DEFECTS if found[kind]}

    def to_dict(self) -> dict:
        """The report as plain lists and dictionaries, for JSON."""
        return {**asdict(self), "counts": self.counts, "ok": not self.defects}


def check_dataset(
    splits: Mapping[str, Iterable],
    *,
    min_frames: int = MIN_FRAMES,
    every_frame: bool = False,
    decoder: str = "pyav",
    workers: int | None = None,
    advance: Callable[[], None] | None = None,
) -> DatasetReport:
    """Opens every video of the lists of a data set, and decodes eight frames of each.

    Found are videos that cannot be read or have damaged frames, that are short, or whose number of
    frames is not the one that the list states; copies within a list and across lists, also when
    they were renamed or encoded again; classes that are never trained. Of two copies the later one
    is the defect.

    Args:
        splits: name -> `VideoList`, the one for training first.
        min_frames: videos with fewer frames are short.
        every_frame: decode all frames, not eight; finds all damage, and takes longer where videos
            have many key frames.
        decoder: see `open_video`.
        workers: threads that decode, by default as many as cores.
        advance: called after each video.

    Returns:
        A `DatasetReport`.

    Example:

    >>> report = check_dataset({"train": VideoList.read("train.list")})
    >>> report.counts
    {'unreadable': 1, 'duplicate': 2}
    """
    splits = dict(splits)
    report = DatasetReport(
        videos={name: len(split) for name, split in splits.items()},
        frames=dict.fromkeys(splits, 0),
        classes=_count_classes(splits),
    )
    flat = [(name, record) for name, split in splits.items() for record in split]
    inspect = partial(_inspect, every_frame=every_frame, decoder=decoder)
    copies = _Copies(_names(splits))
    # Warnings are of the whole process: caught once around all threads, told apart by their text.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VideoDecodeWarning)
        inspections = parallel_map(inspect, (record.source for _, record in flat), workers)
        for (split, record), (length, thumbnails, error) in zip(flat, inspections, strict=True):
            report.frames[split] += length
            report.defects += _defects(split, record, length, error, min_frames)
            report.defects += _damage(split, record, caught)
            if thumbnails is not None:
                report.defects += copies.add(split, record, thumbnails)
            if advance is not None:
                advance()
    for other in caught:
        if not issubclass(other.category, VideoDecodeWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    report.defects += _class_defects(splits)
    return report


def _inspect(
    source: str, every_frame: bool, decoder: str
) -> tuple[int, np.ndarray | None, str | None]:
    """Number of frames, thumbnails of eight of them, and what went wrong."""
    length = 0
    try:
        with open_video(source, decoder=decoder) as video:
            length = len(video)
            wanted = fingerprint_indices(length)
            frames = np.arange(length) if every_frame else wanted
            thumbnails = video.get_frames(frames, transform=fingerprint_thumbnail)
            return length, thumbnails[wanted] if every_frame else thumbnails, None
    except (ValueError, OSError) as error:
        reason = getattr(error, "reason", None) or " ".join(str(error).split())
        return length, None, reason


def _defects(split: str, record, length: int, error: str | None, min_frames: int) -> list:
    def defect(kind: str, reason: str) -> DatasetDefect:
        return DatasetDefect(kind, split, record.source, record.label, reason)

    if error is not None:
        return [defect("unreadable", error)]
    defects = []
    if length < min_frames:
        defects.append(defect("short", f"{length} frames; a clip needs {min_frames}"))
    if record.num_frames is not None and record.num_frames != length:
        reason = f"the list says {record.num_frames} frames, the video has {length}"
        defects.append(defect("miscounted", reason))
    return defects


def _damage(split: str, record, caught: list) -> list[DatasetDefect]:
    start = f"{record.source}: "
    said = [str(warning.message) for warning in caught if str(warning.message).startswith(start)]
    if not said:
        return []
    caught[:] = [warning for warning in caught if not str(warning.message).startswith(start)]
    reason = said[0].removeprefix(start).partition(";")[0]
    return [DatasetDefect("damaged", split, record.source, record.label, reason)]


class _Copies:
    """Finds copies among the videos that it is shown."""

    def __init__(self, names: tuple[str, ...] | None):
        self._names = names
        self._index = FingerprintIndex()

    def add(self, split: str, record, thumbnails: np.ndarray) -> list[DatasetDefect]:
        first = self._index.add((split, record.source, record.label), thumbnails)
        if first is None:
            return []
        first_split, source, label = first
        same = "is the same file as" if source == record.source else "shows the same pictures as"
        kinds = []
        if first_split != split:
            kinds.append(("leak", f"{same} {source} in {first_split}"))
        elif label == record.label:
            kinds.append(("duplicate", f"{same} {source}"))
        if label != record.label:
            ours, theirs = (self._names[i] if self._names else i for i in (record.label, label))
            reason = f"is of class {ours}, and {same} {source} of class {theirs}"
            kinds.append(("conflict", reason))
        return [
            DatasetDefect(kind, split, record.source, record.label, reason, source)
            for kind, reason in kinds
        ]


def _names(splits: Mapping) -> tuple[str, ...] | None:
    return next((split.labels for split in splits.values() if split.labels), None)


def _count_classes(splits: Mapping) -> dict[str, dict[str, int]]:
    counts = {name: Counter(record.label for record in split) for name, split in splits.items()}
    found = sorted({label for c in counts.values() for label in c if label is not None})
    names = _names(splits)
    shown = sorted({*found, *range(len(names or ()))})
    return {
        names[label] if names and label < len(names) else str(label): {
            split: counts[split][label] for split in splits
        }
        for label in shown
    }


def _class_defects(splits: Mapping) -> list[DatasetDefect]:
    """Lists that don't go together, and, by the first one, classes that training never sees."""
    names = _names(splits)
    training, *_ = splits
    trained = {record.label for record in splits[training]} - {None}
    defects = []

    def add(split: str, label: int | None, reason: str) -> None:
        defects.append(DatasetDefect("class", split, None, label, reason))

    for split, videos in splits.items():
        if videos.labels and videos.labels != names:
            add(split, None, f"{split} names other classes than the list before it")
        for label in sorted({record.label for record in videos} - {None} - trained):
            name = names[label] if names and label < len(names) else label
            add(split, label, f"class {name} is in {split}, but has no video in {training}")
    told = {defect.label for defect in defects}
    for label in sorted(set(range(len(names or ()))) - trained - told):
        add(training, label, f"class {names[label]} has no video in {training}")
    if not names and trained and len(trained) <= max(trained):
        first = next(label for label in range(len(trained) + 1) if label not in trained)
        missing = max(trained) + 1 - len(trained)
        others = f" and {missing - 1} more" if missing > 1 else ""
        add(training, first, f"classes count from 0, and {first}{others} have no video")
    return defects
