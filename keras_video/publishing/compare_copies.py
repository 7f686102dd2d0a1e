"""`compare_copies`: whether a saved copy answers as the model that it was saved from."""

import dataclasses
from collections.abc import Iterator

import keras
import numpy as np

from keras_video.applications.application import Application
from keras_video.applications.video_tag import VideoTag
from keras_video.data import open_video, resize
from keras_video.presets.errors import PresetError, some
from keras_video.presets.weights import to_numpy, weights_by_path

# Largest difference of a number, relative to the larger of it and 1. The same program with the same
# weights; threads may add up in another order.
TOLERANCE = 1e-5
# Sizes of inputs that a model leaves open.
_STEPS, _SIDE = 8, 224


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What two copies said.

    Args:
        answer: in words.
        difference: the largest between their numbers.
    """

    answer: str
    difference: float


def compare_copies(original, copy, clip) -> Comparison:
    """Checks that a copy has the weights of a model and says the same of a clip.

    A model that classifies videos classifies the clip, through its own preprocessor and labels. One
    that takes frames gets the clip's frames, one that takes features gets random ones.

    Args:
        original: a model or an application.
        copy: what was loaded again.
        clip: a video, as `open_video` takes it.

    Raises:
        PresetError: the weights differ, the answers differ or aren't numbers.
        keras_video.data.VideoDecodeError: the clip can't be read.
    """
    if isinstance(original, Application):
        return _compare_applications(original, copy, clip)
    _compare_weights(original, copy)
    if hasattr(original, "classify") and original.preprocessor is not None:
        answers = [
            _sorted(each.classify(clip, top_k=original.num_classes)) for each in (original, copy)
        ]
        return _compare_answers(*answers)
    inputs = _inputs(original, clip)
    # Not `predict`, which would compile a program for one batch.
    outputs = [keras.tree.flatten(each(inputs, training=False)) for each in (original, copy)]
    outputs = [[keras.ops.convert_to_numpy(tensor) for tensor in each] for each in outputs]
    shapes = ", ".join(str(tuple(output.shape)) for output in outputs[0])
    if [output.shape for output in outputs[1]] != [output.shape for output in outputs[0]]:
        raise PresetError(f"The saved copy gives other shapes. Received: not {shapes}")
    difference = max(map(_difference, *outputs))
    return Comparison(f"numbers of shape {shapes}", difference)


def _compare_applications(original: Application, copy: Application, clip) -> Comparison:
    parts = [part for part in original.part_names if getattr(original, part) is not None]
    pairs = {part: (getattr(original, part), getattr(copy, part)) for part in parts}
    if isinstance(original, VideoTag):
        for pair in pairs.values():
            _compare_weights(*pair)
        return _compare_answers(*(_sorted(each(clip, top_k=None)) for each in (original, copy)))
    found = {part: compare_copies(*pair, clip) for part, pair in pairs.items()}
    answers = "; ".join(f"{part}: {each.answer}" for part, each in found.items())
    return Comparison(answers, max(each.difference for each in found.values()))


def _compare_weights(model, copy) -> None:
    weights, others = weights_by_path(model), weights_by_path(copy)
    differing = [
        path
        for path in (*weights, *(path for path in others if path not in weights))
        if path not in weights
        or path not in others
        or not np.array_equal(to_numpy(weights[path]), to_numpy(others[path]))
    ]
    if differing:
        raise PresetError(
            f"The saved copy has other weights: {some(differing)}. "
            f"Received: {len(differing)} that differ, in a {type(model).__name__}"
        )


def _sorted(answer: list[dict]) -> list[dict]:
    return sorted(answer, key=lambda entry: entry["class_id"])


def _compare_answers(original: list[dict], copy: list[dict]) -> Comparison:
    if [e["label"] for e in copy] != [e["label"] for e in original]:
        raise PresetError(
            f"The saved copy has other labels. Received: {copy[0]['label']!r}, ... instead of "
            f"{original[0]['label']!r}, ..."
        )
    scores = [np.array([entry["score"] for entry in each]) for each in (original, copy)]
    difference = _difference(*scores)
    best = max(original, key=lambda entry: entry["score"])
    return Comparison(f"{best['label']!r} ({best['score']:.4f})", difference)


def _difference(original, copy) -> float:
    """The largest difference of two arrays' numbers, which must not be large."""
    original, copy = np.asarray(original, "float64"), np.asarray(copy, "float64")
    if not (np.isfinite(original).all() and np.isfinite(copy).all()):
        raise PresetError(
            "The model doesn't answer with numbers: its weights can't be right. "
            f"Received: {original.ravel()[~np.isfinite(original.ravel())][:3]}"
        )
    difference = np.abs(original - copy)
    if (difference > TOLERANCE * np.maximum(1, np.abs(original))).any():
        raise PresetError(
            f"The saved copy answers otherwise. Received: a difference of {difference.max():g}"
        )
    return float(difference.max(initial=0.0))


def _inputs(model, clip):
    """A batch of one, for every input of a model."""
    generator = np.random.default_rng(0)

    def make(tensor):
        shape = tensor.shape[1:]
        if keras.backend.standardize_dtype(tensor.dtype) == "bool":
            return np.ones((1, *_filled(shape)), "bool")
        if len(shape) == 4 and shape[-1] == 3:
            frames, height, width, _ = shape
            return _frames(clip, frames or _STEPS, height or _SIDE, width or _SIDE)
        return generator.normal(size=(1, *_filled(shape))).astype("float32")

    return keras.tree.map_structure(make, model.input)


def _filled(shape: tuple) -> Iterator[int]:
    return (_STEPS if size is None else size for size in shape)


def _frames(clip, count: int, height: int, width: int) -> np.ndarray:
    with open_video(clip) as video:
        frames = video.get_frames(np.linspace(0, len(video) - 1, count).astype(int))
    return np.stack([resize(frame, (height, width)) for frame in frames])[None]
