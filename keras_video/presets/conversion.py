"""Fills a model with the tensors of a checkpoint of another framework."""

import inspect
import os
import re
from collections import Counter
from collections.abc import Mapping

import numpy as np

from keras_video.presets.arguments import check_arguments
from keras_video.presets.checkpoint_format import CheckpointFormat, as_format
from keras_video.presets.checkpoint_reader import read_checkpoint
from keras_video.presets.errors import PresetError, did_you_mean, some
from keras_video.presets.layouts import LAYOUTS, layout_of
from keras_video.presets.model_names import get_model_class
from keras_video.presets.registry import get_preset, list_presets
from keras_video.presets.weights import (
    assign,
    check_finite,
    is_head,
    resized,
    to_numpy,
    weights_by_path,
)

PARTS = ("model", "backbone")

# A network pretrained on images has no prefix and ends in a classifier of its own.
BACKBONE_PREFIX = "backbone."
CLASSIFIER = re.compile(r"(out|fc|classifier|linear|head(\.\w+)*)\.(weight|bias)|fc_0\.[wb]_0")


def convert(
    checkpoint: str | os.PathLike | Mapping[str, np.ndarray],
    model,
    to: str | os.PathLike | None = None,
    format: str = "auto",
    part: str = "model",
    **model_arguments,
):
    """Converts a checkpoint of another framework.

    Every variable of the model gets exactly one tensor and every tensor is used exactly once, but
    for those that the format declares to hold no weight; otherwise nothing is assigned and the
    error names what is left over.

    Args:
        checkpoint: a file that `read_checkpoint` reads (`.pdparams`, `.safetensors`, torch's
            `.pth` and `.pyth`, Caffe2's `.pkl`), or `{tensor name: array}`.
        model: a model to fill; or a model class, or its name (`"pp_tsm"`), to build one; or the
            name of a preset, to build one with the preset's arguments, preprocessor and labels.
        to: directory to save the model to as a preset; `None` only returns it.
        format: whose tensor names the checkpoint uses, a key of the class's
            `checkpoint_maps` (`"paddlevideo"`, `"mmaction2"`); `"auto"` takes the one that fits
            best.
        part: `"model"` for a checkpoint of the whole model; `"backbone"` to initialise from an
            image network: tensors may lack the prefix `backbone.`, its classifier is left out,
            and the model's head keeps its initial values.
        **model_arguments: arguments of the model class, when `model` isn't built yet.
            `num_classes` is taken from the checkpoint's head by default, and what else of its
            sizes the tensors tell (the `sizes` of its `CheckpointFormat`); a preset's arguments
            are kept. A TimeSformer that is built for another `image_size` or `num_frames` than
            the checkpoint's has its embeddings interpolated.

    Returns:
        The model, with the checkpoint's weights.

    Raises:
        PresetError: if the file can't be read or trusted, or doesn't fit the model.

    Example:

    >>> model = keras_video.convert("ppTSM_k400_uniform.pdparams", "pp_tsm", to="my_preset")
    >>> start = keras_video.convert(
    ...     "ResNet50_pretrain.pdparams", "tsm", part="backbone", num_classes=101)
    """
    if part not in PARTS:
        raise PresetError(f"part must be one of {', '.join(PARTS)}. Received: part={part!r}")
    source = "a dict of arrays" if isinstance(checkpoint, Mapping) else str(checkpoint)
    tensors = checkpoint if isinstance(checkpoint, Mapping) else read_checkpoint(checkpoint)
    model = _model_for(model, model_arguments, tensors, format, part)
    name, chosen = choose_format(model, format, tensors)
    try:
        check_model_arguments(model, name, chosen)
        fill(model, tensors, chosen, part)
    except PresetError as error:
        raise PresetError(
            f"The checkpoint doesn't fit {type(model).__name__}: {error} Received: {source}"
        ) from error
    if to is not None:
        from keras_video.presets.saving import save_preset

        save_preset(model, to)
    return model


def original_tensors(
    model, format: str, arrays: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """The way back: a model's weights in the names and layouts of another framework.

    Args:
        model: a model whose class has the format in its `checkpoint_maps`.
        format: a key of `checkpoint_maps`, such as `"paddlevideo"`.
        arrays: `{variable path: array}` to use instead of the model's weights, such as gradients;
            variables that are not in it are left out.

    Returns:
        `{tensor name: array}`, which `convert` takes.

    Raises:
        PresetError: the class has no such format, or its map is wrong.

    Example:

    >>> model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    >>> keras_video.presets.original_tensors(model, "paddlevideo")["head.fc.weight"].shape
    (128, 8)
    """
    name, chosen = choose_format(model, format, {})
    check_model_arguments(model, name, chosen)
    entries = chosen(model)
    variables = weights_by_path(model)
    _check_entries(variables, entries)
    if arrays is None:
        arrays = {path: to_numpy(variable) for path, variable in variables.items()}
    tensors = {}
    for path, entry in entries.items():
        if path in arrays:
            names, layout = _names(entry), layout_of(entry[1])
            tensors.update(zip(names, layout.from_keras(arrays[path], len(names)), strict=True))
    return tensors


def choose_format(model, format: str, tensors: Mapping) -> tuple[str, CheckpointFormat]:
    """Returns the name and the value of one of the `checkpoint_maps` of a model's class.

    Args:
        model: a built model.
        format: its name, or `"auto"` for the one that knows most of the tensors.
        tensors: of the checkpoint.

    Raises:
        PresetError: the class has no such format.
    """
    maps = getattr(type(model), "checkpoint_maps", {})
    if not maps:
        raise PresetError(
            f"{type(model).__name__} has no checkpoint_maps: it can't be converted to. "
            f"Received: model={type(model).__name__}"
        )
    if format == "auto":

        def known(name: str) -> int:
            """Tensors that the format uses, or knows to be none that are used."""
            names = set(_all_names(maps[name](model)))
            ignores = as_format(maps[name]).ignores
            return sum(tensor in names or ignores(tensor) for tensor in tensors)

        format = max(maps, key=known)
    if format not in maps:
        raise PresetError(
            f"{type(model).__name__} reads these formats: auto, {', '.join(maps)}."
            f"{did_you_mean(format, maps)} Received: format={format!r}"
        )
    return format, as_format(maps[format])


def check_model_arguments(model, name: str, format: CheckpointFormat) -> None:
    """Raises `PresetError` for a model that would read the format's weights otherwise."""
    needed = format.other_arguments(model)
    if needed:
        values = ", ".join(f"{argument}={value!r}" for argument, value in needed.items())
        raise PresetError(f"weights of the format {name!r} need a model with {values}.")


def fill(
    model, tensors: Mapping[str, np.ndarray], format: CheckpointFormat, part: str = "model"
) -> None:
    """Assigns tensors to a model's variables, all or none.

    Args:
        model: a built model.
        tensors: `{tensor name: array}`.
        format: whose table has an entry for every variable, with the name of one of
            `layouts.LAYOUTS` or a `Layout` of its own; a tuple of names where one variable holds
            several tensors.
        part: `"model"` or `"backbone"`, as in `convert`.

    Raises:
        PresetError: if variables or tensors are left over, or shapes differ.
    """
    variables = weights_by_path(model)
    heads = getattr(type(model), "head_layers", ())
    entries = format(model)
    _check_entries(variables, entries)
    tensors = {name: array for name, array in tensors.items() if not format.ignores(name)}
    tensors = format.without_aliases(tensors)
    if part == "backbone":
        variables = {path: v for path, v in variables.items() if not is_head(path, heads)}
        tensors = {
            name.removeprefix(BACKBONE_PREFIX): array
            for name, array in tensors.items()
            if not CLASSIFIER.fullmatch(name)
        }
        entries = {
            path: (tuple(name.removeprefix(BACKBONE_PREFIX) for name in _names(entry)), entry[1])
            for path, entry in entries.items()
        }
    missing = [path for path in variables if not set(_names(entries[path])) <= set(tensors)]
    used = {name for path in variables for name in _names(entries[path])}
    unused = [name for name in tensors if name not in used]
    if missing or unused:
        raise PresetError(_leftovers(missing, unused, entries))
    arrays = {
        path: _laid_out(model, path, variable, tensors, *entries[path])
        for path, variable in variables.items()
    }
    check_finite(arrays, type(model).__name__)
    assign(variables, arrays)


def _names(entry: tuple) -> tuple[str, ...]:
    """The tensors of an entry, one or several."""
    return (entry[0],) if isinstance(entry[0], str) else tuple(entry[0])


def _all_names(entries: Mapping) -> list[str]:
    return [name for entry in entries.values() for name in _names(entry)]


def _check_entries(variables: Mapping, entries: Mapping) -> None:
    """Checks a model's own map: a mistake in it must not look like a wrong checkpoint."""
    unmapped = [path for path in variables if path not in entries]
    stray = [path for path in entries if path not in variables]
    uses = Counter(_all_names(entries))
    twice = [name for name, count in uses.items() if count > 1]
    named = {layout for _, layout in entries.values() if isinstance(layout, str)}
    layouts = sorted(named - set(LAYOUTS))
    for problem, found in (
        ("variables without a tensor", unmapped),
        ("entries without a variable", stray),
        ("tensors for two variables", twice),
        ("unknown layouts", layouts),
    ):
        if found:
            raise PresetError(f"its checkpoint map has {problem}: {some(found)}.")


def _leftovers(missing: list[str], unused: list[str], entries: Mapping) -> str:
    parts = []
    if missing:
        wanted = [f"{path} (tensor {' + '.join(_names(entries[path]))})" for path in missing]
        parts.append(f"{len(missing)} variables have no tensor: {some(wanted)}")
    if unused:
        parts.append(f"{len(unused)} tensors have no variable: {some(unused)}")
    return "; ".join(parts) + "."


def _laid_out(model, path: str, variable, tensors: Mapping, names, layout) -> np.ndarray:
    names = _names((names, layout))
    arrays = [np.asarray(tensors[name]) for name in names]
    for name, array in zip(names, arrays, strict=True):
        if not layout_of(layout).fits(array):
            kind = layout if isinstance(layout, str) else f"{len(layout.axes)}-D"
            raise PresetError(
                f"tensor {name!r} has shape {array.shape}, but {path!r} wants a {kind} weight."
            )
    shapes = " and ".join(str(array.shape) for array in arrays)
    try:
        laid_out = resized(model, path, layout_of(layout).to_keras(arrays))
    except ValueError as error:
        raise PresetError(
            f"tensors {some(names)} of shapes {shapes} don't fit together for variable {path!r}."
        ) from error
    if laid_out.shape != tuple(variable.shape):
        raise PresetError(
            f"variable {path!r} has shape {tuple(variable.shape)}, but tensor {some(names)} of "
            f"shape {shapes} gives {laid_out.shape}."
        )
    return laid_out


def _model_for(model, arguments: dict, tensors: Mapping, format: str, part: str):
    if isinstance(model, str) and model in list_presets():
        built = _model_of_preset(model, arguments)
        needed = _missing_arguments(built, arguments, tensors, format, part)
        return _model_of_preset(model, {**arguments, **needed}) if needed else built
    if isinstance(model, str):
        model = get_model_class(model)
    if not inspect.isclass(model):
        if arguments:
            raise PresetError(
                f"Arguments can't change a model that is built: {some(arguments)}. Pass its "
                f"class or name instead. Received: a {type(model).__name__}"
            )
        return model
    check_arguments(model, arguments)
    arguments = {**_sizes_in(model, arguments, tensors, format), **arguments}
    built = model(**arguments)
    needed = _missing_arguments(built, arguments, tensors, format, part)
    return model(**arguments, **needed) if needed else built


def _model_of_preset(name: str, arguments: Mapping):
    """The model of a registered preset, its preprocessor and its labels, without weights."""
    from keras_video.presets.loading import load_preset, model_from_manifest

    preset = get_preset(name)
    if preset.bundled:  # What it is stands in its files.
        return load_preset(name, load_weights=False, **arguments)
    return model_from_manifest(preset, dict(arguments))


def _sizes_in(model_class: type, given: Mapping, tensors: Mapping, format: str) -> dict:
    """What the shapes of the tensors tell of a model's arguments."""
    maps = getattr(model_class, "checkpoint_maps", {})
    for name in maps if format == "auto" else {format} & set(maps):
        sizes = as_format(maps[name]).sizes
        told = sizes(tensors, given) if sizes else {}
        if told:
            return told
    return {}


def _missing_arguments(model, given: Mapping, tensors: Mapping, format: str, part: str) -> dict:
    """What the format wants, and how many classes the tensors have, if the caller has not said."""
    _, chosen = choose_format(model, format, tensors)
    wanted = chosen.other_arguments(model, with_defaults=True)
    if part == "model" and hasattr(model, "num_classes"):
        classes = _classes_in(model, tensors, format)
        if classes not in (None, model.num_classes):
            wanted = {**wanted, "num_classes": classes}
    return {name: value for name, value in wanted.items() if name not in given}


def _classes_in(model, tensors: Mapping, format: str) -> int | None:
    """Reads the number of classes off the checkpoint's head."""
    heads = getattr(type(model), "head_layers", ())
    _, chosen = choose_format(model, format, tensors)
    for path, entry in chosen(model).items():
        if is_head(path, heads) and set(_names(entry)) <= set(tensors):
            arrays = [np.asarray(tensors[name]) for name in _names(entry)]
            layout = layout_of(entry[1])
            if all(array.ndim and layout.fits(array) for array in arrays):
                return layout.to_keras(arrays).shape[-1]
    return None
