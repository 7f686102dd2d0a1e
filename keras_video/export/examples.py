"""Inputs on which a model and its exported form are compared."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from keras_video.export.export_error import ExportError
from keras_video.inference.exported_model import TensorSpec

# Of clips whose size may be any, and of sequences whose length may be.
_FRAMES, _SIDE, _STEPS = 8, 112, 13
# The batch must be free in the file.
BATCHES = (1, 3)

Batch = dict[str, np.ndarray]


def example_inputs(
    inputs: dict[str, TensorSpec], preprocessor: Callable | None = None, codes: bool = False
) -> list[Batch]:
    """Rendered clips, or random features: a batch of one and one of three.

    Args:
        inputs: of the model, by name.
        preprocessor: makes clips of videos; `None` renders clips of the right shape.
        codes: whether features are numbers from 0 to 255, as YouTube-8M stores them.
    """
    if preprocessor is not None and is_clips(inputs):
        (name,) = inputs
        # A single view of each, so that all differ.
        views = (preprocessor(video)[:1] for video in rendered_videos(50, 128))
        return batches_of({name: view} for view in views)
    random = np.random.default_rng(0)
    return [
        {name: _example(spec, batch, random, codes) for name, spec in inputs.items()}
        for batch in BATCHES
    ]


def is_clips(inputs: dict[str, TensorSpec]) -> bool:
    """Whether a model takes nothing but clips."""
    return [spec.dtype for spec in inputs.values()] == ["uint8"]


def rendered_videos(num_frames: int, size: int) -> Iterator[np.ndarray]:
    """Videos `(num_frames, size, size, 3)` of moving shapes, each another one."""
    from keras_video.data.motion_clips import MOTION_CLASSES, render_motion_clip

    for seed, motion in enumerate(MOTION_CLASSES):
        yield render_motion_clip(motion, seed, num_frames, size)


def _example(spec: TensorSpec, batch: int, random: np.random.Generator, codes: bool):
    if spec.dtype == "uint8":
        defaults = (batch, _FRAMES, _SIDE, _SIDE, 3)
        _, frames, height, width, _ = (
            size or default for size, default in zip(spec.shape, defaults, strict=True)
        )
        videos = islice(rendered_videos(frames, max(height, width)), batch)
        return np.stack(list(videos))[:, :, :height, :width]
    # Sequences of another length in the other batch.
    shape = (batch, *(_STEPS + batch if size is None else size for size in spec.shape[1:]))
    if spec.dtype == "bool":
        mask = np.ones(shape, bool)
        mask[0, -2:] = False
        return mask
    values = random.integers(0, 256, shape) if codes else random.normal(size=shape)
    return values.astype(spec.dtype)


def batches_of(samples: Iterable[Batch]) -> list[Batch]:
    """Of what samples hold, a batch of one and one of three, or of as many as there are.

    Raises:
        ExportError: there are none.
    """
    rows = list(islice(_rows(samples), sum(BATCHES)))
    if not rows:
        raise ExportError("There must be samples to compare on. Received: none")
    one, three = rows[: BATCHES[0]], rows[BATCHES[0] :]
    return [
        {name: np.concatenate([row[name] for row in part]) for name in rows[0]}
        for part in (one, three or one * BATCHES[1])
    ]


def _rows(samples: Iterable[Batch]) -> Iterator[Batch]:
    """Each sample's parts that are of the first one's shape."""
    shapes = None
    for sample in samples:
        for row in range(len(next(iter(sample.values())))):
            part = {name: array[row : row + 1] for name, array in sample.items()}
            here = {name: array.shape for name, array in part.items()}
            shapes = shapes or here
            if here == shapes:
                yield part
