"""`load_image_weights`: initialises a TimeSformer from an image transformer."""

import os
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from keras_video.presets import preset_files as files
from keras_video.presets.checkpoint_reader import read_checkpoint
from keras_video.presets.errors import PresetError, some
from keras_video.presets.resolution import find_preset, resolve_preset
from keras_video.presets.weights import (
    assign,
    check_finite,
    is_head,
    resized,
    to_numpy,
    weights_by_path,
)

# Ours in divided attention -> the image network's: both attentions start as the spatial one.
SPATIAL = {
    "/temporal_norm/": "/norm/",
    "/spatial_norm/": "/norm/",
    "/temporal/": "/attention/",
    "/spatial/": "/attention/",
}
# What no image network has starts at zero: the clip is then seen frame by frame.
TEMPORAL = ("temporal_dense/kernel", "temporal_dense/bias", "embedding/times")


def load_image_weights(
    model: keras.Model,
    source: str | os.PathLike | Mapping[str, np.ndarray] | keras.Model,
    format: str = "auto",
    **access,
) -> None:
    """Copies an image transformer (ViT) into a TimeSformer; the classifier keeps its own.

    Attention over time starts as attention within frames, the dense layers after it and the
    embedding of time as zeros; positions are interpolated to the model's `image_size`. So a still
    clip has the features that the image network gives its frame.

    Args:
        model: a `keras_video.models.TimeSformer`.
        source: of the image network: a preset of `keras_video.models.ViTBackbone`, or of another
            `TimeSformer`; a checkpoint of PaddleClas (`.pdparams`), timm or Hugging Face
            (`.safetensors`, `.pth`), or its tensors in a dictionary; or a
            `keras_hub.models.ViTBackbone` or `ViTImageClassifier`.
        format: of the checkpoint, a key of `ViTBackbone.checkpoint_maps`; `"auto"` finds out.
        **access: of a preset, as in `from_preset`.

    Raises:
        PresetError: the source can't be had, or its weights don't fit; the model is then as it was.

    Example:

    >>> model = keras_video.models.TimeSformer(num_classes=101)
    >>> keras_video.training.load_image_weights(model, "vit_base_patch16_imagenet")
    >>> keras_video.training.load_image_weights(model, "timm/model.safetensors")

    Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
    https://arxiv.org/abs/2102.05095
    """
    arrays = _arrays(model, source, format, access)
    heads = type(model).head_layers
    variables = {
        path: variable
        for path, variable in weights_by_path(model).items()
        if not is_head(path, heads)
    }
    names = {path: _name_in(arrays, path) for path in variables}
    missing = [path for path, name in names.items() if name is None and not _is_temporal(path)]
    unused = [path for path in arrays if path not in names.values() and not is_head(path, heads)]
    problems = []
    if missing:
        problems.append(f"it lacks {some(missing)}")
    if unused:
        problems.append(f"there is no place for its {some(unused)}")
    if problems:
        raise PresetError(
            f"The image network is another than the model's: {'; '.join(problems)}. "
            f"Received: a {type(model).__name__}"
        )
    found = {
        path: np.zeros(variables[path].shape, "float32")
        if name is None
        else resized(model, path, arrays[name])
        for path, name in names.items()
    }
    wrong = [path for path, array in found.items() if array.shape != tuple(variables[path].shape)]
    if wrong:
        raise PresetError(
            "Weights of the image network have other shapes: "
            f"{some(wrong)}. "
            f"Received: a {type(model).__name__}"
        )
    check_finite(found, "the image network")
    assign(variables, found)


def _name_in(arrays: Mapping, path: str) -> str | None:
    if path in arrays:
        return path
    for ours, theirs in SPATIAL.items():
        if path.startswith("block") and ours in path:
            name = path.replace(ours, theirs, 1)
            return name if name in arrays else None
    return None


def _is_temporal(path: str) -> bool:
    return path.endswith(TEMPORAL)


def _arrays(model, source, format: str, access: Mapping) -> dict[str, np.ndarray]:
    """`{variable path: array}` of a `ViTBackbone`, or of a `TimeSformer`."""
    if isinstance(source, keras.Model):
        from keras_video.models.timesformer.convert_vit import keras_hub_tensors

        return _converted(model, keras_hub_tensors(source), "keras_hub")
    if isinstance(source, Mapping):
        return _converted(model, source, format)
    if not os.path.isfile(source):
        folder = resolve_preset(find_preset(source), **access).directory
        return read_checkpoint(folder / files.WEIGHTS)
    if format == "auto" and Path(source).suffix == ".pdparams":
        # The names are timm's; the matrices are not.
        format = "paddleclas"
    return _converted(model, read_checkpoint(source), format)


def _converted(model, tensors: Mapping, format: str) -> dict[str, np.ndarray]:
    from keras_video.models import ViTBackbone
    from keras_video.presets.conversion import convert

    # Without a classifier, files of transformers lack the prefix.
    if "embeddings.cls_token" in tensors:
        tensors = {f"vit.{name}": array for name, array in tensors.items()}
    network = ViTBackbone(
        image_size=model.image_size,
        patch_size=model.patch_size,
        hidden_dim=model.hidden_dim,
        num_layers=model.num_layers,
        num_heads=model.num_heads,
        mlp_ratio=model.mlp_ratio,
        dtype="float32",
    )
    convert(tensors, network, format=format, part="backbone")
    return {path: to_numpy(variable) for path, variable in weights_by_path(network).items()}
