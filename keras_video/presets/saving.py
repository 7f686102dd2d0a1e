"""Writes a model, its preprocessor and its labels as a preset's directory."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from keras_video._version import __version__
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.label_files import write_labels
from keras_video.presets.trusted_config import object_config
from keras_video.presets.weights import assign, save_weights, to_numpy, weights_by_path


def save_preset(
    model,
    path: str | os.PathLike,
    *,
    keras_core: bool = False,
    weights_dtype: str | None = None,
    metadata: Mapping | None = None,
) -> None:
    """Saves a model as a preset: a directory that `from_preset` loads anywhere.

    The directory holds `config.json` (class and arguments), `model.safetensors` (weights keyed
    by variable path), `preprocessor.json` and `labels.txt` where the model has them, and
    `metadata.json` (versions, parameter count). It appears whole or not at all; optimizer state
    and the compile state stay out.

    Args:
        model: a built model of a class that Keras can serialise.
        path: the directory; it may exist, and keeps its other files.
        keras_core: also write `model.weights.h5`, so that `keras.saving.load_model(path)` and
            `keras.saving.load_model("hf://org/name")` work without keras_video's presets
            (the model's class must be imported).
        weights_dtype: `"float16"` or `"bfloat16"` stores the weights in half the space; they
            are loaded in the model's own type.
        metadata: more entries for `metadata.json`, e.g. `{"source_url": ..., "metrics": ...}`.

    Raises:
        PresetError: if the class isn't registered with Keras, variables share a path, labels
            don't match `num_classes`, or the directory can't be written.

    Example:

    >>> model.save_to_preset("my_preset")
    >>> model = keras_video.models.TSM.from_preset("my_preset")
    """
    write_preset(
        model,
        Path(os.path.expanduser(path)),
        config=object_config(model),
        keras_core=keras_core,
        weights_dtype=weights_dtype,
        metadata=metadata,
    )


def write_preset(
    model,
    target: Path,
    *,
    config: dict,
    keras_core: bool = False,
    weights_dtype: str | None = None,
    metadata: Mapping | None = None,
) -> None:
    """Like `save_preset`, with the config to write."""
    labels = getattr(model, "labels", None)
    preprocessor = getattr(model, "preprocessor", None)
    num_classes = getattr(model, "num_classes", None)
    if labels is not None and num_classes is not None and len(labels) != num_classes:
        raise PresetError(
            f"{len(labels)} labels for {num_classes} classes: set model.labels to one name a "
            f"class, or to None. Received: {str(target)!r}"
        )
    with files.written_whole(target) as folder:
        _write_json(folder / files.CONFIG, config)
        save_weights(model, folder / files.WEIGHTS, weights_dtype)
        if preprocessor is not None:
            _write_json(folder / files.PREPROCESSOR, object_config(preprocessor))
        if labels is not None:
            write_labels(folder / files.LABELS, labels)
        if keras_core:
            _save_core_weights(model, config, folder / files.CORE_WEIGHTS)
        _write_json(folder / files.METADATA, _metadata(model, weights_dtype, metadata))


def _metadata(model, weights_dtype: str | None, more: Mapping | None) -> dict:
    import keras

    return {
        "keras_video_version": __version__,
        "keras_version": keras.__version__,
        "model": type(model).__name__,
        "trainable_parameters": _count(model.trainable_weights),
        "total_parameters": _count(model.weights),
        "weights_dtype": weights_dtype or model.weights[0].dtype,
        **(more or {}),
    }


def _count(variables) -> int:
    return sum(math.prod(variable.shape) for variable in variables)


def _save_core_weights(model, config: dict, path: Path) -> None:
    """Writes Keras' own weight file, from a copy: the original may carry an optimizer."""
    copy = type(model).from_config(config["config"])
    arrays = {name: to_numpy(variable) for name, variable in weights_by_path(model).items()}
    assign(weights_by_path(copy), arrays)
    copy.save_weights(path)


def _write_json(path: Path, value: Mapping) -> None:
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise PresetError(
            f"{path.name} holds plain numbers, text, lists and dicts only: {one_line(error)}. "
            f"Received: {value!r:.200}"
        ) from error
    path.write_text(text + "\n", encoding="utf-8")
