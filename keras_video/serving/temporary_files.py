"""`TemporaryFiles`: the folder of a server's uploads."""

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from keras_video.serving.request_error import RequestError

_PREFIX = "keras_video_serve_"


class TemporaryFiles:
    """A private folder for files that nobody else names, and a count of their bytes.

    Folders that servers left behind because they were killed are removed on the way.

    Args:
        parent: where to make it; `None` for the system's temporary folder.
        max_bytes: of all files together.
    """

    def __init__(self, parent: str | os.PathLike | None, max_bytes: int):
        parent = Path(parent or tempfile.gettempdir())
        _remove_abandoned(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock_file = FileLock(self.folder / "lock", thread_local=False)
        self._lock_file.acquire()
        self._max_bytes = max_bytes
        self._sizes: dict[Path, int] = {}
        self._lock = threading.Lock()

    def new_path(self, suffix: str = "") -> Path:
        """A name in the folder that nobody has."""
        path = self.folder / (secrets.token_hex(16) + suffix)
        with self._lock:
            self._sizes[path] = 0
        return path

    def grow(self, path: Path, size: int) -> None:
        """Counts bytes that a file is about to get.

        Raises:
            RequestError: there is no room for them now.
        """
        with self._lock:
            if sum(self._sizes.values()) + size > self._max_bytes:
                raise RequestError(
                    503, "storage_full", "Too many uploads at one time. Try again later", 5
                )
            if path in self._sizes:
                self._sizes[path] += size

    def remove(self, path: Path) -> None:
        """Deletes a file if it is there, and what a killed process wrote before it was whole."""
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            for unfinished in self.folder.glob(f".{path.stem}.*"):
                unfinished.unlink(missing_ok=True)
        with self._lock:
            self._sizes.pop(path, None)

    def close(self) -> None:
        """Deletes the folder."""
        self._lock_file.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(_PREFIX + "*"):
        with contextlib.suppress(OSError, Timeout):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            # A new one may just be about to take its lock.
            if not (folder / "lock").exists() or time.time() - folder.stat().st_ctime < 60:
                continue
            with FileLock(folder / "lock", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
