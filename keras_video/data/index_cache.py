"""Frame indexes of videos, kept in a folder beside them."""

import contextlib
import hashlib
import json
import os
import threading
import time
import warnings
import zlib
from pathlib import Path

import av
import numpy as np

from keras_video.data.packet_index import PacketIndex

_FORMAT = 1
_ARRAYS = ("pts", "keys", "key_dts")
_PLAIN = {"counted": bool, "declared": int, "packets": int, "closed": bool}
_PLAIN |= {"hides_frames": bool, "partial": bool}
# Indexing fewer frames takes about as long as looking for a file.
_WORTHWHILE = 1000
# A file that changed so recently may change again without a new time stamp.
_SETTLED_SECONDS = 2


class IndexCache:
    """Keeps the indexes of long videos (1000 frames), so that each file's packets are read once.

    An index is used while its video has the same size and time of change and the same FFmpeg
    reads it; a damaged or foreign entry counts as none. Entries are plain numbers behind a check
    sum, written whole or not at all, so that any number of processes may share the folder. Videos
    below the folder's parent are known by their relative path: a data set may be moved, with its
    cache.

    Args:
        folder: where to keep them, such as `data/kinetics/.index`; made when it is first needed.

    Example:

    >>> with open_video("data/talks/a.ts", index_cache="data/talks/.index") as video:
    ...     frames = video.get_frames([0, 100_000])
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(os.path.abspath(folder))

    def entry(self, path: str | os.PathLike) -> "IndexCacheEntry":
        """The place of one video's index. Make it before the video is opened."""
        path = Path(os.path.abspath(path))
        with contextlib.suppress(ValueError):
            path = path.relative_to(self.folder.parent)
        digest = hashlib.sha256(path.as_posix().encode()).hexdigest()
        return IndexCacheEntry(
            self.folder / digest[:2] / f"{digest[2:32]}.index",
            video=self.folder.parent / path,
            name=path.as_posix(),
        )


class IndexCacheEntry:
    """Where the index of one video, as it is now, is kept."""

    def __init__(self, file: Path, video: Path, name: str):
        self._file = file
        self._video = video
        self._name = name
        self._stamp = self._current_stamp()

    def load(self) -> PacketIndex | None:
        """The index that was stored for the video as it was when this entry was made, or None."""
        try:
            head, _, body = self._file.read_bytes().partition(b"\n")
            facts = json.loads(head)
            if facts["stamp"] != self._stamp or facts["checksum"] != _checksum(facts, body):
                return None
            numbers = np.frombuffer(body, "<i8").astype(np.int64)
            arrays = np.split(numbers, np.cumsum(facts["lengths"])[:-1])
            plain = {name: kind(facts[name]) for name, kind in _PLAIN.items()}
            named = dict(zip(_ARRAYS, arrays, strict=True))
            return PacketIndex(**named, **plain, last_pts=facts["last_pts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, index: PacketIndex) -> None:
        """Keeps an index. Does nothing for a short video, or one that changed meanwhile."""
        if len(index) < _WORTHWHILE or self._current_stamp() != self._stamp:
            return
        if time.time() - self._stamp[1] / 1e9 < _SETTLED_SECONDS:
            return
        body = b"".join(getattr(index, name).astype("<i8").tobytes() for name in _ARRAYS)
        facts = {
            "stamp": self._stamp,
            "lengths": [len(getattr(index, name)) for name in _ARRAYS],
            "last_pts": index.last_pts,
            **{name: kind(getattr(index, name)) for name, kind in _PLAIN.items()},
        }
        facts["checksum"] = _checksum(facts, body)
        temporary = self._file.with_name(
            f"{self._file.name}.{os.getpid()}.{threading.get_ident()}.part"
        )
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(json.dumps(facts).encode() + b"\n" + body)
                os.replace(temporary, self._file)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            warnings.warn(
                f"{self._file.parent.parent}: cannot keep the index of {self._name}: "
                f"{error.strerror or error}. Such videos are indexed each time they are opened.",
                stacklevel=2,
            )

    def _current_stamp(self) -> list:
        status = os.stat(self._video)
        libraries = [list(av.library_versions[name]) for name in ("libavformat", "libavcodec")]
        return [status.st_size, status.st_mtime_ns, self._name, _FORMAT, libraries]


def _checksum(facts: dict, body: bytes) -> int:
    stated = {name: value for name, value in facts.items() if name != "checksum"}
    return zlib.crc32(body, zlib.crc32(json.dumps(stated, sort_keys=True).encode()))
