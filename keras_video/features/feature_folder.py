"""`FeatureFolder`: the side of `extract_features` that writes, safe against kill -9."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from keras_video.features.feature_index import ROWS, SETTINGS, read_rows, read_settings
from keras_video.features.listed_videos import ListedVideo
from keras_video.features.video_features import VideoFeatures

# Half a millisecond: containers round time stamps to one.
_REGULAR = 1e-3
_FORMAT = 1


class FeatureFolder:
    """A folder of features, open for one process.

    Every file is written under another name below `.partial` and renamed when it is complete;
    then its video gets a line in `features.jsonl`. A process that is killed at any time leaves
    whole files only.

    Args:
        path: the folder, made if there is none.
        settings: what features depend on. A folder with other ones is refused.
        fresh: do not use what is there.

    Raises:
        ValueError: another process is writing there, or the settings differ.
        OSError: the folder cannot be written.
    """

    def __init__(self, path: str | os.PathLike, settings: dict, fresh: bool = False):
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(
                f"Features need a folder; there is a file of that name. Received: {self.path}"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._partial = self.path / ".partial"
        self._lock = FileLock(self.path / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                "Another process is writing features there: wait for it, or choose another "
                f"folder. Received: {self.path}"
            ) from error
        try:
            self._settings = {"format": _FORMAT, **settings}
            if not fresh:
                self._check_settings()
            self._rows = {} if fresh else read_rows(self.path)
            if fresh:
                shutil.rmtree(self._partial, ignore_errors=True)
            self._partial.mkdir(exist_ok=True)
            for left in self._partial.glob("*.tmp"):
                left.unlink()
            if fresh:
                self._write(self.path / ROWS, b"")
            self._write(self.path / SETTINGS, json.dumps(self._settings, indent=2).encode())
            self._journal = open(self.path / ROWS, "a", encoding="utf-8")  # noqa: SIM115
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> "FeatureFolder":
        return self

    def __exit__(self, *exception) -> None:
        self._journal.close()
        try:
            if exception[0] is None:
                self._finish()
        finally:
            self._lock.release()

    def row(self, video: ListedVideo) -> dict | None:
        """What is there of a video, if it is of the video as it is now, or the video is gone."""
        row = self._rows.get(video.name)
        if row is None or video.stamp not in (None, row["source"]["stamp"]):
            return None
        return row if (self.path / row["file"]).is_file() else None

    def add(self, videos: list[ListedVideo]) -> None:
        """Makes room for videos: `a/b.npy` for `a/b.mp4`, `a/b.avi.npy` where that is taken.

        Raises:
            ValueError: another video of that name has features here; the message names both.
        """
        for video in videos:
            self._check_name(video)
        self._files = {row["video"]: row["file"] for row in self._rows.values()}
        taken = {file.casefold() for file in self._files.values()}
        for video in videos:
            if video.name not in self._files:
                file = f"{os.path.splitext(video.name)[0]}.npy"
                if file.casefold() in taken:
                    file = f"{video.name}.npy"
                self._files[video.name] = file
                taken.add(file.casefold())

    def save(self, video: ListedVideo, features: VideoFeatures, dtype: str) -> None:
        """Writes the features of a video, and its line."""
        row = {
            "video": video.name,
            "file": self._files[video.name],
            "steps": len(features.features),
            "channels": features.features.shape[1],
            "duration": round(features.duration, 6),
            "fps": features.fps,
            "labels": None if video.labels is None else list(video.labels),
            "times": _packed(features.times),
            "source": {"path": video.path, "stamp": video.stamp},
        }
        target = self.path / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        self._write_array(target, features.features.astype(dtype))
        self._add(row)
        shutil.rmtree(self._segment_folder(video), ignore_errors=True)

    def relabel(self, video: ListedVideo) -> None:
        """Notes other labels, or another place, of a video whose features stay."""
        row = self._rows[video.name]
        labels = row["labels"] if video.labels is None else list(video.labels)
        # Of a video that is gone, what it was stays known.
        gone = video.stamp is None
        source = row["source"] if gone else {"path": video.path, "stamp": video.stamp}
        if (row["labels"], row["source"]) != (labels, source):
            self._add({**row, "labels": labels, "source": source})

    def save_segment(self, video: ListedVideo, segment: int, outputs: np.ndarray) -> None:
        """Keeps a part of a long video's features."""
        folder = self._segment_folder(video)
        folder.mkdir(exist_ok=True)
        self._write_array(folder / f"{segment}.part", outputs)

    def segments(self, video: ListedVideo, sizes: list[int]) -> dict[int, np.ndarray]:
        """The parts that an earlier process has kept.

        Args:
            video: as it is now.
            sizes: number of units of each segment.
        """
        found = {}
        for number, size in enumerate(sizes):
            path = self._segment_folder(video) / f"{number}.part"
            with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
                outputs = np.load(file, allow_pickle=False)
                if len(outputs) == size:
                    found[number] = outputs
        return found

    def _segment_folder(self, video: ListedVideo) -> Path:
        identity = json.dumps([video.name, video.stamp, self._settings], sort_keys=True)
        return self._partial / hashlib.sha256(identity.encode()).hexdigest()[:24]

    def _check_name(self, video: ListedVideo) -> None:
        source = self._rows.get(video.name, {}).get("source")
        if (
            source is not None
            and source["path"] != video.path
            and source["stamp"] != video.stamp
            and os.path.exists(source["path"])
        ):
            raise ValueError(
                f"{self.path} has features of another video of that name, {source['path']}. "
                "Choose another folder, or give `root`, a folder that holds both. "
                f"Received: {video.path}"
            )

    def _add(self, row: dict) -> None:
        self._rows[row["video"]] = row
        # After a line that a killed process has cut, a row needs a line of its own.
        self._journal.write(f"\n{json.dumps(row)}\n")
        self._journal.flush()

    def _finish(self) -> None:
        """Each video's newest line alone, in order."""
        rows = [f"{json.dumps(self._rows[video])}\n" for video in sorted(self._rows)]
        self._write(self.path / ROWS, "".join(rows).encode())
        shutil.rmtree(self._partial, ignore_errors=True)

    def _check_settings(self) -> None:
        there = read_settings(self.path)
        if there is None:
            return
        other = [
            name
            for name in (*there, *self._settings)
            if there.get(name) != self._settings.get(name)
        ]
        if other:
            name = other[0]
            raise ValueError(
                f"The folder holds features made with another `{name}`: {there.get(name)}. Choose "
                "another folder, or extract everything again (`resume=False`, `--again`). "
                f"Received: {name}={self._settings.get(name)}, folder={str(self.path)!r}"
            )

    def _write_array(self, target: Path, array: np.ndarray) -> None:
        with self._whole(target) as file:
            np.save(file, array, allow_pickle=False)

    def _write(self, target: Path, content: bytes) -> None:
        with self._whole(target) as file:
            file.write(content)

    @contextlib.contextmanager
    def _whole(self, target: Path):
        temporary = self._partial / f"{secrets.token_hex(8)}.tmp"
        try:
            with open(temporary, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError as error:
            # Of a full disk, Python does not say which file it was.
            raise OSError(error.errno, error.strerror or str(error), str(target)) from error
        finally:
            temporary.unlink(missing_ok=True)


def _packed(times: np.ndarray) -> dict | list:
    """Start and step where the steps are even, else every time."""
    start = float(times[0])
    step = float(times[-1] - times[0]) / max(len(times) - 1, 1)
    even = start + step * np.arange(len(times))
    if np.abs(times - even).max() < _REGULAR:
        return {"start": round(start, 9), "step": round(step, 9)}
    return [round(float(moment), 6) for moment in times]
