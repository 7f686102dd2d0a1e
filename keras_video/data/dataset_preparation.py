"""From a folder of videos to the lists that training and evaluation read."""

import contextlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from keras_video.data.dataset_check import MIN_FRAMES, DatasetDefect, check_dataset
from keras_video.data.parallel_map import parallel_map
from keras_video.data.reencoding import reencode_video
from keras_video.data.video_list import LABELS_FILE, VideoList, list_line
from keras_video.data.video_writer import remove_unfinished_videos
from keras_video.data.whole_file import whole_file
from keras_video.presets.label_files import write_labels

TRAIN, VAL, REPORT = "train.list", "val.list", "report.json"
VIDEOS, JOURNAL = "videos", "reencoded.jsonl"


@dataclass(frozen=True)
class PreparationReport:
    """What `prepare_dataset` did.

    Attributes:
        train: number of videos in `train.list`.
        val: number of videos in `val.list`.
        classes: for each class its number of videos in each list.
        left_out: why videos are in no list.
        encoded: number of videos that were encoded now.
        reused: number of videos that an earlier call had encoded.
    """

    train: int
    val: int
    classes: dict[str, dict[str, int]]
    left_out: list[DatasetDefect]
    encoded: int = 0
    reused: int = 0

    def to_dict(self) -> dict:
        """The report as plain lists and dictionaries, for JSON."""
        return asdict(self)


@contextlib.contextmanager
def _no_progress(task: str, total: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


def prepare_dataset(
    root: str | os.PathLike,
    out: str | os.PathLike,
    *,
    val_fraction: float = 0.2,
    gop: int | None = None,
    short_side: int | None = None,
    min_frames: int = MIN_FRAMES,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable = _no_progress,
) -> PreparationReport:
    """Writes `train.list`, `val.list`, `labels.txt` and `report.json` for a folder of videos.

    Every video is opened first. What `check_dataset` finds wrong is left out of the lists and
    stands in the report: videos that can't be read, are damaged or too short, and copies, so that
    no video is in both lists. Of copies in two classes, neither is kept.

    With `gop`, the videos are encoded once more into `videos/` below `out`, which makes decoding
    single frames several times faster. That can be stopped and continued: each file appears only
    when it is complete, and files that are up to date are not encoded again; what a killed run
    left half written is removed. One run at a time writes to `out`. `out` can then be
    moved as a whole; without `gop`, the lists name the videos where they are.

    Args:
        root: a folder with one folder of videos for each class.
        out: folder to write to; made if it is not there.
        val_fraction: share of each class for `val.list`; 0 for none.
        gop: encode with a key frame every so many frames, 12 is a good choice; None leaves the
            files alone.
        short_side: with `gop`, makes larger videos smaller, to so many pixels.
        min_frames: videos with fewer frames are left out.
        seed: of the random choice of validation videos.
        workers: threads, by default as many as cores.
        progress: called as `progress(task, total)`; a context manager with a function that is
            called after each video.

    Returns:
        A `PreparationReport`.

    Raises:
        ValueError: the folder has no classes, no video is usable, or arguments don't fit.
        OSError: the results can't be written.

    Example:

    >>> report = prepare_dataset("videos/", "data/", gop=12)
    >>> report.train, report.val
    (800, 200)
    """
    root, out = Path(root), Path(out)
    _check_arguments(root, out, val_fraction, gop, short_side)
    videos = VideoList.from_folder(root)
    _check_names(videos.labels)
    out.mkdir(parents=True, exist_ok=True)
    # They go first: of two copies, the one with a usable name is kept.
    unnamed = _not_for_lists(videos)
    bad = {defect.source for defect in unnamed}
    videos = VideoList([r for r in videos if r.source not in bad], videos.labels)
    with progress("Checking", len(videos)) as advance:
        check = check_dataset(
            {"the folder": videos}, min_frames=min_frames, workers=workers, advance=advance
        )
    left_out = [defect for defect in check.defects if defect.source is not None]
    left_out = [*unnamed, *left_out, *_others_in_conflict(left_out, videos)]
    bad = {defect.source for defect in left_out}
    records = [record for record in videos if record.source not in bad]
    encoded = reused = 0
    if gop is not None:
        jobs = _Encodings(root, out, {"gop": gop, "short_side": short_side})
        with progress("Encoding", len(records)) as advance:
            records, failed = jobs.run(records, workers, advance)
        left_out += failed
        encoded, reused = jobs.encoded, jobs.reused
    else:
        # The lists may be read from anywhere, and may be moved.
        records = [replace(record, source=os.path.abspath(record.source)) for record in records]
    if not records:
        raise ValueError(
            f"No video of this folder is usable. Received: {root}; {left_out[0].reason}"
        )

    usable = VideoList(records, videos.labels)
    train, val = usable.split(val_fraction, seed) if val_fraction else (usable, usable[:0])
    report = PreparationReport(
        train=len(train),
        val=len(val),
        classes=_count(videos.labels, train, val),
        left_out=left_out,
        encoded=encoded,
        reused=reused,
    )
    with whole_file(out / LABELS_FILE) as path:
        write_labels(path, videos.labels)
    with whole_file(out / TRAIN) as path:
        train.write(path)
    if len(val):
        with whole_file(out / VAL) as path:
            val.write(path)
    else:
        (out / VAL).unlink(missing_ok=True)
    with whole_file(out / REPORT) as path:
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
        # Names may hold bytes that are no text; JSON escapes them the same way.
        path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return report


class _Encodings:
    """Encodes videos into a folder, in parallel, and remembers what is done."""

    def __init__(self, root: Path, out: Path, settings: dict):
        self._root, self._out = root, out
        self._settings = settings
        self._stop = threading.Event()
        self.encoded = self.reused = 0

    def run(self, records: list, workers: int | None, advance: Callable) -> tuple[list, list]:
        """Returns the records of the new videos and the defects of those that failed."""
        remove_unfinished_videos(self._out / VIDEOS)
        done = self._read_journal()
        jobs = list(zip(records, self._targets(records), strict=True))
        kept, failed = [], []

        def work(job) -> tuple[dict | None, str | None]:
            record, target = job
            entry = self._entry(record.source, target)
            if done.get(entry["video"]) == entry and (self._out / target).is_file():
                return None, None
            try:
                (self._out / target).parent.mkdir(parents=True, exist_ok=True)
                reencode_video(
                    record.source, self._out / target, **self._settings, check=self._check
                )
            except ValueError as error:
                return None, getattr(error, "reason", None) or " ".join(str(error).split())
            return entry, None

        results = parallel_map(work, jobs, workers, self._stop)
        with (
            (self._out / JOURNAL).open("a", encoding="utf-8") as journal,
            contextlib.closing(results),
        ):
            for (record, target), (entry, error) in zip(jobs, results, strict=True):
                advance()
                if error is not None:
                    failed.append(_failed(record, error))
                    continue
                self.encoded += entry is not None
                self.reused += entry is None
                if entry is not None:
                    # After a line that a killed run has cut, an entry needs a line of its own.
                    print("", json.dumps(entry), sep="\n", file=journal, flush=True)
                kept.append(replace(record, source=str(self._out / target), num_frames=None))
        return kept, failed

    def _check(self) -> None:
        # An error elsewhere or Ctrl-C must not wait for long videos.
        if self._stop.is_set():
            raise InterruptedError("stopped")

    def _entry(self, source: str, target: str) -> dict:
        """What must not have changed for a file to be up to date."""
        status = os.stat(source)
        return {
            "video": target,
            "source": os.path.abspath(source),
            "bytes": status.st_size,
            "modified": status.st_mtime_ns,
            **self._settings,
        }

    def _read_journal(self) -> dict[str, dict]:
        done = {}
        path = self._out / JOURNAL
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            # The last line of a run that was killed may be cut.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                done[entry["video"]] = entry
        return done

    def _targets(self, records: list) -> list[str]:
        """Paths below `out`, one for each video: two names that differ in the suffix stay apart."""
        names = [Path(os.path.relpath(record.source, self._root)) for record in records]
        stems = Counter(str(name.with_suffix("")).casefold() for name in names)
        return [
            (
                Path(VIDEOS) / name.with_name(f"{name.name}.mp4")
                if stems[str(name.with_suffix("")).casefold()] > 1
                else Path(VIDEOS) / name.with_suffix(".mp4")
            ).as_posix()
            for name in names
        ]


def _others_in_conflict(defects: list[DatasetDefect], videos: VideoList) -> list[DatasetDefect]:
    """The other video of each conflict: which of the two classes is right, nobody knows."""
    labels = {record.source: record.label for record in videos}
    others = {defect.other: defect for defect in defects if defect.kind == "conflict"}
    return [
        DatasetDefect(
            "conflict",
            defect.split,
            source,
            labels[source],
            f"shows the same pictures as {defect.source} of another class",
            defect.source,
        )
        for source, defect in others.items()
    ]


def _not_for_lists(videos: VideoList) -> list[DatasetDefect]:
    """Videos whose paths no list can hold, such as those with a line break."""
    defects = []
    for record in videos:
        try:
            list_line(record, Path())
        except ValueError:
            reason = "no list can hold this name: rename the video"
            defects.append(DatasetDefect("name", "the folder", record.source, record.label, reason))
    return defects


def _failed(record, error: str) -> DatasetDefect:
    return DatasetDefect("unreadable", "the folder", record.source, record.label, error)


def _check_arguments(root: Path, out: Path, val_fraction: float, gop, short_side) -> None:
    if not 0 <= val_fraction < 1:
        raise ValueError(
            "The share of validation videos must be from 0 to less than 1. "
            f"Received: val_fraction={val_fraction}"
        )
    if gop is not None and gop < 1:
        raise ValueError(f"`gop` must be a whole number of frames from 1. Received: gop={gop}")
    if short_side is not None and gop is None:
        raise ValueError(
            "`short_side` needs `gop`, because only videos that are encoded again change their "
            f"size. Received: short_side={short_side}, gop=None"
        )
    if out.exists() and not out.is_dir():
        raise ValueError(
            f"The results need a folder; there is a file of that name. Received: {out}"
        )
    if out.resolve() == root.resolve() or root.resolve() in out.resolve().parents:
        raise ValueError(
            "The results must not go into the folder of the videos, where they would be taken "
            f"for a class. Received: {out}"
        )


def _check_names(labels) -> None:
    for label in labels:
        if "\n" in label or "\r" in label or label.encode("utf-8", "replace").decode() != label:
            raise ValueError(
                f"The name of a class's folder must be one line of text. Received: {label!r}"
            )


def _count(labels, train, val) -> dict[str, dict[str, int]]:
    counts = [Counter(record.label for record in videos) for videos in (train, val)]
    return {
        label: {"train": counts[0][number], "val": counts[1][number]}
        for number, label in enumerate(labels)
    }
