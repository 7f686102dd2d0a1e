"""How the directory of an exported model is written: whole or not at all."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from keras_video.export.export_error import ExportError
from keras_video.inference.exported_model import is_exported
from keras_video.presets.errors import one_line


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Gives an empty folder to write to, and puts it in the place of `target` on success.

    On an error nothing is left behind, and an earlier export stays as it was.

    Raises:
        ExportError: `target` holds something else, or cannot be written.
    """
    check_target(target)
    number = uuid.uuid4().hex[:8]
    folder = target.parent / f".{target.name}.{number}.tmp"
    earlier = target.parent / f".{target.name}.{number}.old"
    try:
        folder.mkdir(parents=True)
        yield folder
        if target.exists():
            os.replace(target, earlier)
        os.replace(folder, target)
    except OSError as error:
        if earlier.exists() and not target.exists():
            os.replace(earlier, target)
        raise ExportError(
            f"The directory can't be written: {one_line(error)}. Received: {str(target)!r}"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def check_target(target: Path) -> None:
    """Raises `ExportError` for what must not be replaced by an exported model."""
    if target.is_dir():
        refused = any(target.iterdir()) and not is_exported(target)
    else:
        refused = os.path.lexists(target)
    if refused:
        raise ExportError(
            "This is in the way; only an empty directory or an earlier export is replaced. "
            f"Received: {str(target)!r}"
        )
