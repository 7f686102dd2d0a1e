"""`load_backbone`: initialises a video model from a network that was trained before."""

import os
from collections.abc import Mapping
from pathlib import Path

import keras

from keras_video.models import TimeSformer
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError
from keras_video.presets.resolution import find_preset, resolve_preset
from keras_video.presets.trusted_config import read_object_config
from keras_video.presets.weights import is_head, load_weights_file
from keras_video.training.image_weights import load_image_weights

# Arguments of backbones that decide which weights there are.
SHAPING = ("depth", "variant", "width")


def load_backbone(model: keras.Model, preset: str | os.PathLike, **access) -> None:
    """Copies the weights of a preset into `model.backbone`; the head keeps its own.

    A `TimeSformer`, which has none, is initialised by `load_image_weights`.

    The number of frames, temporal shift and activation don't matter: they have no weights.

    Args:
        model: a model with the attribute `backbone`, such as `keras_video.models.TSM`.
        preset: of such a backbone (`keras_video.models.ResNetBackbone.presets`), or of a whole
            model that has one, whose head is left out: a name, a directory or `"hf://org/name"`.
        **access: `revision`, `token`, `endpoint`, `cache_dir`, `local_files_only`, as in
            `from_preset`.

    Raises:
        ValueError: the model has no backbone.
        PresetError: the preset is unknown or unreachable, or its weights don't fit; the model is
            then as it was.

    Example:

    >>> model = keras_video.models.PPTSM(num_classes=101)
    >>> keras_video.training.load_backbone(model, "resnet50_vd_ssld_v2")
    """
    backbone = getattr(model, "backbone", None)
    if isinstance(model, TimeSformer):
        return load_image_weights(model, preset, **access)
    if backbone is None:
        raise ValueError(
            "Only a model with the attribute `backbone` can be initialised. "
            f"Received: {type(model).__name__}"
        )
    heads = getattr(type(model), "head_layers", ())
    folder = resolve_preset(find_preset(preset), **access).directory
    try:
        load_weights_file(backbone, folder / files.WEIGHTS, lambda path: is_head(path, heads))
    except PresetError as error:
        raise PresetError(
            f"The preset {os.fspath(preset)!r} doesn't fit the backbone of this "
            f"{type(model).__name__}{_differences(folder, backbone.get_config())}. {error}"
        ) from error


def _differences(folder: Path, ours: Mapping) -> str:
    """In which of those arguments a preset's config and ours differ."""
    theirs = read_object_config(folder / files.CONFIG)["config"]
    names = [name for name in SHAPING if name in theirs and ours.get(name) != theirs[name]]
    parts = [f"{name} is {theirs[name]!r} there and {ours.get(name)!r} here" for name in names]
    return f": {', '.join(parts)}" if parts else ""
