"""The files of a preset's directory, and how a directory is written whole or not at all."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from keras_video.presets.errors import PresetError, one_line

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
PREPROCESSOR = "preprocessor.json"
LABELS = "labels.txt"
METADATA = "metadata.json"
CORE_WEIGHTS = "model.weights.h5"
CARD = "README.md"
# Applications have this, and a folder for each of their models.
APPLICATION = "application.json"

# What repositories of transformers have besides.
TRANSFORMERS_PREPROCESSOR = "preprocessor_config.json"
TRANSFORMERS_WEIGHTS = "pytorch_model.bin"

# What loading needs, next to the weights.
SMALL_FILES = (CONFIG, PREPROCESSOR, LABELS, METADATA)
# What saving writes; a model card that is there already stays.
SAVED_FILES = (*SMALL_FILES, WEIGHTS, CORE_WEIGHTS)


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Gives an empty folder to write a preset to, and moves it to `target` on success.

    On an error nothing is left behind. A directory that exists already keeps its other files;
    files of an earlier preset that the new one lacks are removed.

    Raises:
        PresetError: if `target` can't be written.
    """
    folder = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        folder.mkdir(parents=True)
        yield folder
        _move(folder, target)
    except OSError as error:
        raise PresetError(
            f"The preset can't be written: {one_line(error)}. Received: {str(target)!r}"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(folder: Path, target: Path) -> None:
    if not target.exists():
        os.replace(folder, target)
        return
    new = {file.name for file in folder.iterdir()}
    for name in new:
        if (target / name).is_dir():
            # Renamed first: a folder with files can't be replaced in one step.
            os.replace(target / name, folder / f".old-{name}")
        os.replace(folder / name, target / name)
    for name in set(SAVED_FILES) - new:
        (target / name).unlink(missing_ok=True)
