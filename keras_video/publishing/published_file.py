"""`PublishedFile`: a file of a repository, and what it holds."""

import dataclasses
import hashlib
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class PublishedFile:
    """A file that is published.

    Args:
        path: in the repository.
        size: in bytes.
        sha256: of its content.
        git_id: git's id of its content.

    Example:

    >>> PublishedFile.read(Path("my_preset"), "config.json").size
    812
    """

    path: str
    size: int
    sha256: str
    git_id: str

    @classmethod
    def read(cls, folder: Path, path: str) -> "PublishedFile":
        """Describes a file of a folder.

        Raises:
            OSError: it can't be read.
        """
        size = (folder / path).stat().st_size
        sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with open(folder / path, "rb") as file:
            while chunk := file.read(1 << 20):
                sha256.update(chunk)
                git.update(chunk)
        return cls(path, size, sha256.hexdigest(), git.hexdigest())
