"""Folders and repositories of Hugging Face's transformers, some of whose models are ours too.

They have a `config.json` as presets of ours do, with other things in it.
"""

import json
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.import_string import import_object
from keras_video.presets.preset import Preset

# The `model_type` of a config -> what makes a manifest of the config and the preprocessor's config.
READERS = {
    "timesformer": "keras_video.models.timesformer.huggingface_folder:read_manifest",
}


def is_transformers_folder(folder: Path) -> bool:
    """Whether a folder holds a model of transformers, instead of a preset."""
    try:
        config = json.loads((folder / files.CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(config, dict)
        and isinstance(config.get("model_type"), str)
        and "registered_name" not in config
    )


def transformers_manifest(folder: Path, name: str) -> Preset:
    """The manifest of a model of transformers.

    Args:
        folder: for which `is_transformers_folder` holds.
        name: of the folder or repository.

    Raises:
        PresetError: if it is of a kind that keras_video has no model for, or its config isn't read.
    """
    config = _read(folder / files.CONFIG)
    model_type = config["model_type"]
    if model_type not in READERS:
        raise PresetError(
            f"A {model_type!r} of transformers can't be loaded; keras_video reads: "
            f"{', '.join(READERS)}. Received: {name!r}"
        )
    path = folder / files.TRANSFORMERS_PREPROCESSOR
    preprocessor = _read(path) if path.is_file() else None
    try:
        fields = import_object(READERS[model_type])(config, preprocessor)
    except PresetError as error:
        raise PresetError(f"{error} Received: {str(folder)!r}") from error
    # Anybody's config may have anything in it.
    except (AttributeError, TypeError, ValueError) as error:
        raise PresetError(
            f"The config of transformers isn't read: {one_line(error)}. Received: {str(folder)!r}"
        ) from error
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip("-._")
    return Preset(name=plain or "transformers", source_format="huggingface", **fields)


def transformers_weights(folder: Path) -> Path:
    """The weights of a model of transformers.

    Raises:
        PresetError: if the folder has none in one file.
    """
    for name in (files.WEIGHTS, files.TRANSFORMERS_WEIGHTS):
        if (folder / name).is_file():
            return folder / name
    raise PresetError(
        f"The folder has a config of transformers, but neither {files.WEIGHTS} nor "
        f"{files.TRANSFORMERS_WEIGHTS}. Received: {str(folder)!r}"
    )


def _read(path: Path) -> dict:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(
            f"{path.name} can't be read: {one_line(error)}. Received: {str(path)!r}"
        ) from error
    if not isinstance(config, dict):
        raise PresetError(f"{path.name} holds no config. Received: {str(path)!r}")
    return config
