"""Files that appear under their name only when they are complete."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a name to write to; the file takes its own name when all is written.

    After an error there is no new file, and one that was there before is as it was.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be written, for example because the disk is full; the message names it.

    Example:

    >>> with whole_file("train.list") as path:
    ...     path.write_text("one.mp4 0")
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # Of a full disk, Python does not say which file it was.
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
