"""`FeatureIndex`: a folder of features, read."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SETTINGS, ROWS = "features.json", "features.jsonl"


@dataclass(frozen=True)
class FeatureEntry:
    """The features of one video, on disk.

    Attributes:
        video: what the video is called: its path below the folder of the videos.
        path: of the `.npy` file.
        steps: number of steps.
        channels: of each step.
        duration: of the video in seconds.
        fps: frames of the video a second, on average.
        labels: class numbers, where a list of the videos had some, or `None`.
    """

    video: str
    path: str
    steps: int
    channels: int
    duration: float
    fps: float
    labels: tuple[int, ...] | None
    _times: dict | list = field(repr=False, compare=False, default_factory=list)

    @property
    def features(self) -> np.ndarray:
        """`(steps, channels)`, float32 or float16; read from the file when it is looked at."""
        return np.load(self.path, mmap_mode="r", allow_pickle=False)

    @property
    def times(self) -> np.ndarray:
        """`(steps,)`: when each step is, in seconds from the video's first frame."""
        if isinstance(self._times, dict):
            return self._times["start"] + self._times["step"] * np.arange(self.steps)
        return np.asarray(self._times, np.float64)


class FeatureIndex(Sequence):
    """The entries of a folder that `extract_features` wrote, in order of the videos' names.

    Needs neither the videos nor Keras. A folder that is still being written can be read: it has
    the videos that are done.

    Args:
        folder: with `features.json`, `features.jsonl` and `.npy` files.

    Attributes:
        settings: what the features were made with.

    Raises:
        ValueError: the folder holds no features, or its files are damaged.

    Example:

    >>> index = keras_video.features.FeatureIndex("feats/")
    >>> index[0].video, index[0].features.shape, index[0].times[-1]
    ('a.mp4', (300, 2048), 118.4)
    >>> data = keras_video.data.FeatureDataset(index.records(), ...)
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self.settings = read_settings(self.folder)
        if self.settings is None:
            raise ValueError(
                f"The folder holds no features: it has no {SETTINGS}. `keras-video features` makes "
                f"them. Received: {str(folder)!r}"
            )
        rows = read_rows(self.folder)
        entries = [self._entry(rows[video]) for video in sorted(rows)]
        self._entries = [entry for entry in entries if os.path.isfile(entry.path)]
        self._places = {entry.video: place for place, entry in enumerate(self._entries)}

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index):
        if isinstance(index, str):
            return self._entries[self._place(index)]
        return self._entries[index]

    def __iter__(self) -> Iterator[FeatureEntry]:
        return iter(self._entries)

    def __contains__(self, video) -> bool:
        return video in self._places

    def __repr__(self) -> str:
        return f"<FeatureIndex {self.folder}: {len(self)} videos>"

    def records(self, name: str = "rgb") -> list:
        """`keras_video.data.FeatureRecord`s, with the labels that the videos' list had.

        Args:
            name: of the modality.
        """
        from keras_video.data import FeatureRecord

        return [
            FeatureRecord(entry.video, {name: entry.path}, entry.labels, entry.steps)
            for entry in self._entries
        ]

    def _place(self, video: str) -> int:
        if video not in self._places:
            raise KeyError(f"{self.folder} has no features of this video. Received: {video!r}")
        return self._places[video]

    def _entry(self, row: dict) -> FeatureEntry:
        try:
            labels = row["labels"]
            return FeatureEntry(
                video=row["video"],
                path=str(self.folder / row["file"]),
                steps=row["steps"],
                channels=row["channels"],
                duration=row["duration"],
                fps=row["fps"],
                labels=None if labels is None else tuple(labels),
                _times=row["times"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{self.folder / ROWS} has a line that is no entry: {error!r} "
                f"Received: {json.dumps(row):.80}"
            ) from error


def read_settings(folder: Path) -> dict | None:
    """The settings of a folder of features, `None` where there are none.

    Raises:
        ValueError: the file is damaged.
    """
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("it holds no settings")
        return settings
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged: {error}. Delete the folder and extract again. "
            f"Received: {str(folder)!r}"
        ) from error


def read_rows(folder: Path) -> dict[str, dict]:
    """The newest row of each video; a line that a killed process has cut counts as none."""
    rows = {}
    try:
        with open(folder / ROWS, encoding="utf-8") as file:
            for line in file:
                try:
                    row = json.loads(line)
                    rows[row["video"]] = row
                except (ValueError, KeyError, TypeError):
                    continue
    except FileNotFoundError:
        pass
    return rows
