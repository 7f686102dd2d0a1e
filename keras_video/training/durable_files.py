"""Files that survive a kill or a power cut: whole, or not there."""

import os
from pathlib import Path

PARTIAL = ".partial"


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file beside its place, to the disk, and moves it there.

    Whatever happens, `path` is the old file or the new one, whole.

    Args:
        path: the file; its folder exists.
        content: what the file shall hold.

    Raises:
        OSError: if it can't be written; the old file is untouched and nothing is left behind.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        partial.write_bytes(content)
        sync(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Returns when a file, or the list of files of a folder, has reached the disk."""
    # Windows opens no folders, and writes their lists of files by itself.
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
