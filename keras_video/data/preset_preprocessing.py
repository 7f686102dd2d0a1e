"""The preprocessor and the labels of a preset, without its model."""

import os
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.label_files import read_labels
from keras_video.presets.manifest import make_labels, make_preprocessor
from keras_video.presets.preset import Preset
from keras_video.presets.resolution import find_preset, resolve_preset
from keras_video.presets.trusted_config import config_class, read_object_config


def load_preprocessing(preset: str | os.PathLike) -> tuple:
    """Reads how a preset's model wants its videos. A registered preset costs no download.

    Args:
        preset: a registered name, a preset's directory, or `"hf://org/name"`.

    Returns:
        `(preprocessor, labels)`; labels are a list of names or `None`.

    Raises:
        PresetError: no such preset.
        ValueError: the preset has no preprocessor.
    """
    found = find_preset(preset)
    if isinstance(found, Preset) and found.preprocessor is not None:
        return make_preprocessor(found), make_labels(found)
    source = resolve_preset(found, load_weights=False)
    preprocessor = labels = None
    if source.directory is not None:
        preprocessor = _read_preprocessor(source.directory / files.PREPROCESSOR)
        if (source.directory / files.LABELS).is_file():
            labels = read_labels(source.directory / files.LABELS)
    if preprocessor is None:
        raise ValueError(
            "The preset has no preprocessor, so it does not say how videos are sampled; give a "
            f"`preprocessor`, or a `sampler` and `transforms`. Received: preset={preset!r}"
        )
    return preprocessor, labels


def preset_labels(preset: str | os.PathLike | None, labels: str) -> list[str] | None:
    """The classes' names of a preset, for the word `"preset"` in place of names.

    Raises:
        ValueError: `labels` is another word, or there is no preset.
    """
    if labels != "preset" or preset is None:
        raise ValueError(
            '`labels` is a list of names, or "preset" together with a `preset`. '
            f"Received: labels={labels!r}, preset={preset!r}"
        )
    return load_preprocessing(preset)[1]


def _read_preprocessor(path: Path):
    if not path.is_file():
        return None
    config = read_object_config(path)
    return config_class(config, path, trusted=None).from_config(config["config"])
