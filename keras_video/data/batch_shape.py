"""`BatchShape`: what a batch of clips looks like, in training whose batches change their shape."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from keras_video.data.transforms.compose import Compose
from keras_video.data.transforms.configured import Configured
from keras_video.data.transforms.jitter_scale import JitterScale


class BatchShape(NamedTuple):
    """A shape of batches, relative to the one that a data set was made for.

    Attributes:
        batch_factor: times as many clips.
        num_frames: frames of a clip.
        size: height and width in pixels.
        num_splits: sub-batches of batch normalisation, see `keras_video.layers.BatchNorm`.
        stretch: a whole number from 1. The distance between frames is drawn anew for each clip,
            from the usual one to so many times that.
        size_ratio: of `size` to the usual one.
        scale: factor of the least short side of `JitterScale`.
    """

    batch_factor: int
    num_frames: int
    size: int
    num_splits: int = 1
    stretch: int = 1
    size_ratio: float = 1.0
    scale: float = 1.0


class BatchShapes(Protocol):
    """A schedule of shapes, such as `keras_video.training.Multigrid`."""

    num_epochs: int

    def cycle(self, epoch: int) -> tuple[BatchShape, ...]:
        """The shapes that the batches of an epoch have in turn, the last one the largest clips."""

    def get_config(self) -> dict:
        """Plain values that tell one schedule from another."""


def transforms_at(transforms: Sequence[Callable], shape: BatchShape) -> list[Callable]:
    """The transforms that give clips of a shape, made from those of the usual shape.

    Whatever has a `size`, crops above all, gets it in proportion; `JitterScale` draws from a range
    that begins lower, so that a small crop may show as much of a frame as a large one.

    Example:

    >>> transforms_at([JitterScale((256, 320)), RandomCrop(224)], shape)
    [JitterScale(short_side=(128.0, 320.0), ...), RandomCrop(size=112)]
    """
    return [_transform_at(transform, shape) for transform in transforms]


def _transform_at(transform: Callable, shape: BatchShape) -> Callable:
    if isinstance(transform, Compose):
        return Compose(transforms_at(transform.transforms, shape))
    if isinstance(transform, JitterScale):
        least, greatest = transform.short_side
        return JitterScale((round(least * shape.scale), greatest), transform.interpolation)
    if isinstance(transform, Configured) and hasattr(transform, "size"):
        size = round(transform.size * shape.size_ratio)
        return type(transform).from_config({**transform.get_config(), "size": size})
    return transform


def sampler_at(sampler: Callable, shape: BatchShape) -> Callable:
    """The sampler whose distance between frames is drawn, up to `shape.stretch` times the usual.

    Samplers without `frame_interval` spread their frames over the video anyway and stay the same.
    """
    known = inspect.signature(sampler).parameters
    if shape.stretch == 1 or "frame_interval" not in known:
        return sampler
    usual = known["frame_interval"].default
    return functools.partial(_sample_stretched, sampler, usual, usual * shape.stretch)


def _sample_stretched(
    sampler: Callable, least: int, greatest: int, *lengths: int, rng=None, **options
) -> np.ndarray:
    interval = least if rng is None else int(rng.integers(least, greatest + 1))
    return sampler(*lengths, frame_interval=interval, rng=rng, **options)


def check_at(shape: BatchShape) -> Callable:
    """The last of the transforms: refuses clips that do not have the shape."""
    return functools.partial(_check_clip, shape)


def _check_clip(shape: BatchShape, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if clip.shape[:3] != (shape.num_frames, shape.size, shape.size):
        raise ValueError(
            f"A schedule of shapes asks for clips of {shape.num_frames} frames of {shape.size} "
            "pixels; its full size must be that of the clips that `transforms` make. "
            f"Received: a clip of shape {clip.shape}"
        )
    return clip
