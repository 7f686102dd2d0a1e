"""`TemporaryFiles`: the folder of a server's uploads."""

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from keras_video.serving.request_error import RequestError

_LOG = logging.getLogger(__name__)
_PREFIX = "keras_video_serve_"


class TemporaryFiles:
    """A private folder for files that nobody else names, and a count of their bytes.

    Folders that servers left behind because they were killed are removed on the way.

    Args:
        parent: where to make it; `None` for the system's temporary folder.
        max_bytes: of all files together.

    Raises:
        OSError: no folder can be made there.
    """

    def __init__(self, parent: str | os.PathLike | None, max_bytes: int):
        # Decoders start in the folder, so a relative path would mean another place to them.
        parent = Path(parent or tempfile.gettempdir()).absolute()
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

    def create(self, path: Path) -> "StoredFile":
        """A new file in the folder, to be written.

        Raises:
            RequestError: the system has no room for it now.
        """
        return StoredFile(self, path)

    def grow(self, path: Path, size: int) -> None:
        """Counts bytes of a file.

        Raises:
            RequestError: there is no room for them now.
        """
        with self._lock:
            if sum(self._sizes.values()) + size > self._max_bytes:
                raise _full()
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


class StoredFile:
    """A file whose bytes are counted; a context manager that closes it.

    Args:
        files: that it is one of.
        path: of it.
    """

    def __init__(self, files: TemporaryFiles, path: Path):
        self._files, self._path = files, path
        with _full_disks_told():
            self._file = path.open("xb")

    def write(self, block: bytes | memoryview) -> None:
        """Writes bytes.

        Raises:
            RequestError: there is no room for them now.
        """
        self._files.grow(self._path, len(block))
        with _full_disks_told():
            self._file.write(block)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            return
        with _full_disks_told():
            self._file.close()


@contextlib.contextmanager
def _full_disks_told():
    try:
        yield
    except OSError as error:
        _LOG.error("an upload cannot be stored: %s", error)
        raise _full() from error


def _full() -> RequestError:
    return RequestError(503, "storage_full", "Too many uploads at one time. Try again later", 5)


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
