"""Builds a model from a preset's files."""

import inspect
import os
from collections.abc import Mapping
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.arguments import check_arguments
from keras_video.presets.errors import PresetError
from keras_video.presets.import_string import import_object
from keras_video.presets.label_files import read_labels
from keras_video.presets.manifest import make_labels, make_preprocessor
from keras_video.presets.preset import Preset
from keras_video.presets.resolution import find_preset, resolve_preset
from keras_video.presets.trusted_config import (
    build_object,
    config_class,
    read_object_config,
    with_overrides,
)
from keras_video.presets.weights import is_head, load_weights_file


def load_preset(
    preset: str | os.PathLike,
    *,
    model_class: type | None = None,
    load_weights: bool = True,
    revision: str | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    local_files_only: bool = False,
    **overrides,
):
    """Loads a model with its weights, preprocessor and labels, of whatever class the preset names.

    Args:
        preset: a preset's directory, `"hf://org/name[@revision]"`, or a registered name.
        model_class: the class that the model must be (or a base of it); `None` takes any.
        load_weights, revision, token, endpoint, cache_dir, local_files_only, **overrides: as in
            `PresetMixin.from_preset`.

    Returns:
        A Keras model.

    Raises:
        PresetError: as `PresetMixin.from_preset`.

    Example:

    >>> model = keras_video.presets.load_preset("pp_tsm_k400")
    """
    found = find_preset(preset)
    if isinstance(found, Preset):
        _check_class(preset, import_object(found.model), model_class)
    source = resolve_preset(
        found,
        load_weights=load_weights,
        revision=revision,
        token=token,
        endpoint=endpoint,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
    )
    if source.directory is None:
        _check_class(preset, import_object(source.preset.model), model_class)
        return model_from_manifest(source.preset, overrides)
    return _from_directory(preset, source.directory, model_class, load_weights, overrides)


def _from_directory(
    preset, folder: Path, model_class: type | None, load_weights: bool, overrides: dict
):
    path = folder / files.CONFIG
    config = read_object_config(path)
    found = config_class(config, path, trusted=model_class)
    _check_class(preset, found, model_class)
    check_arguments(found, overrides)
    fresh_head = _changes_head(found, config["config"], overrides)
    if overrides:
        # What is wrong with an override, the model itself says best.
        model = found.from_config(with_overrides(config, overrides)["config"])
    else:
        model = build_object(found, config, path)
    if load_weights:
        heads = getattr(found, "head_layers", ()) if fresh_head else ()
        load_weights_file(model, folder / files.WEIGHTS, skip=lambda path: is_head(path, heads))
    model.preprocessor = _read_preprocessor(folder / files.PREPROCESSOR, model_class, overrides)
    model.labels = None
    if (folder / files.LABELS).is_file() and not fresh_head:
        model.labels = _fitting_labels(read_labels(folder / files.LABELS), model, folder)
    return model


def model_from_manifest(preset: Preset, overrides: Mapping):
    """Builds a preset's model with fresh weights; its manifest says enough."""
    found = import_object(preset.model)
    check_arguments(found, overrides)
    model = found(**{**preset.config, **overrides})
    model.preprocessor = _with_sizes(make_preprocessor(preset), overrides)
    fresh_head = _changes_head(found, preset.config, overrides)
    model.labels = None if fresh_head else make_labels(preset)
    return model


def _check_class(preset, found: type, wanted: type | None) -> None:
    from keras_video.presets.preset_mixin import PresetMixin

    wanted = wanted or PresetMixin
    if not issubclass(found, wanted):
        hint = f": load it with {found.__name__}.from_preset" if hasattr(found, "presets") else ""
        raise PresetError(
            f"The preset is a {found.__name__}, not a {wanted.__name__}{hint}. "
            f"Received: {os.fspath(preset)!r}"
        )


def _changes_head(found: type, config: Mapping, overrides: Mapping) -> bool:
    if "num_classes" not in overrides:
        return False
    saved = config.get("num_classes")
    if saved is None:
        parameter = inspect.signature(found.__init__).parameters.get("num_classes")
        saved = None if parameter is None else parameter.default
    return overrides["num_classes"] != saved


def _read_preprocessor(path: Path, model_class: type | None, overrides: Mapping):
    if not path.is_file():
        return None
    config = read_object_config(path)
    found = config_class(config, path, trusted=model_class)
    preprocessor = build_object(found, config, path)
    return _with_sizes(preprocessor, overrides)


def _with_sizes(preprocessor, overrides: Mapping):
    """Makes the preprocessor give as many frames, of the size, that the model takes."""
    if preprocessor is None or not {"num_frames", "image_size"} & set(overrides):
        return preprocessor
    config = dict(preprocessor.get_config())
    changes = {}
    if "num_frames" in overrides:
        changes["num_frames"] = overrides["num_frames"]
    if overrides.get("image_size") and config.get("crop_size"):
        changes["crop_size"] = overrides["image_size"]
        if config.get("short_side"):
            scale = overrides["image_size"] / config["crop_size"]
            changes["short_side"] = round(config["short_side"] * scale)
    changes = {name: value for name, value in changes.items() if name in config}
    return type(preprocessor).from_config({**config, **changes})


def _fitting_labels(labels: list[str], model, folder: Path) -> list[str]:
    num_classes = getattr(model, "num_classes", len(labels))
    if len(labels) != num_classes:
        raise PresetError(
            f"{files.LABELS} has {len(labels)} names for {num_classes} classes. "
            f"Received: {str(folder)!r}"
        )
    return labels
