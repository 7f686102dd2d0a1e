"""Sizes for all axes of a model's inputs, so that what it does can be counted."""

import keras

# Where neither model nor preprocessor say it: side of frames, frames, and steps of features (the
# most that videos of YouTube-8M have).
SIDE, FRAMES, STEPS = 224, 8, 300


def known_inputs(model, num_frames: int | None = None, size: int | tuple[int, int] | None = None):
    """The inputs of a functional model, of one sample and of known sizes.

    Args:
        model: a functional model.
        num_frames: frames of a clip, or steps of features, where the model takes any number.
        size: side of the frames, or height and width, where the model takes any.

    Returns:
        `keras.KerasTensor`s in the structure of `model.input`.

    Raises:
        ValueError: the model is not a functional one, or takes no inputs of these sizes.
    """
    if not hasattr(model, "operations"):
        raise ValueError(
            "`summarize` takes a functional model, whose inputs are known. "
            f"Received: model={model!r}"
        )
    sides = (size, size) if isinstance(size, int) else (None, None) if size is None else size
    given = [value for value in (num_frames, *sides) if value is not None]
    if len(sides) != 2 or any(not isinstance(value, int) or value < 1 for value in given):
        raise ValueError(
            "`num_frames` must be a positive integer, and `size` one or two. "
            f"Received: num_frames={num_frames!r}, size={size!r}"
        )
    asked = dict(zip(("num_frames", "height", "width"), (num_frames, *sides), strict=True))
    asked = {axis: value for axis, value in asked.items() if value is not None}
    structure = model.input
    known_axes = {
        axis for tensor in keras.tree.flatten(structure) for axis in _axes(tensor.shape) if axis
    }
    if missing := [axis for axis in asked if axis not in known_axes]:
        raise ValueError(
            f"The model's input has no {' and no '.join(missing)}. Received: "
            f"{', '.join(f'{axis}={asked[axis]}' for axis in missing)}"
        )
    preprocessor = getattr(model, "preprocessor", None)
    side = getattr(preprocessor, "crop_size", None) or SIDE
    frames = getattr(preprocessor, "num_frames", None)

    def known(tensor):
        axes = _axes(tensor.shape)
        usual = {"num_frames": frames or (FRAMES if "height" in axes else STEPS)}
        wanted = {**usual, "height": side, "width": side, **asked}
        sizes = [
            _known_size(tensor, axis, there, asked, wanted)
            for axis, there in zip(axes, tensor.shape[1:], strict=True)
        ]
        return keras.KerasTensor((1, *sizes), tensor.dtype, name=tensor.name)

    return keras.tree.map_structure(known, structure)


def named_shapes(inputs) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's inputs by their names."""
    if not isinstance(inputs, dict):
        inputs = {tensor.name: tensor for tensor in keras.tree.flatten(inputs)}
    return {name: tuple(tensor.shape) for name, tensor in inputs.items()}


def _axes(shape: tuple) -> list[str | None]:
    """What an input's axes after the batch are: of clips, frames, features, and masks."""
    if len(shape) == 5:
        return ["num_frames", "height", "width", None]
    if len(shape) == 4:
        return ["height", "width", None]
    return ["num_frames", *[None] * (len(shape) - 2)][: len(shape) - 1]


def _known_size(tensor, axis: str | None, there: int | None, asked: dict, wanted: dict) -> int:
    if there is not None and asked.get(axis, there) != there:
        raise ValueError(
            f"The model takes inputs of {axis}={there} only: build it with another one. "
            f"Received: {axis}={asked[axis]}"
        )
    if there is None and axis is None:
        raise ValueError(
            "The size of an axis of the model's input isn't known. "
            f"Received: {tensor.name!r} of shape {tuple(tensor.shape)}"
        )
    return wanted[axis] if there is None else there
