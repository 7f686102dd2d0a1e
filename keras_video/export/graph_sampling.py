"""`GraphSampling`: the samplers of `keras_video.data.samplers` as part of a graph."""

import functools
from fractions import Fraction

import numpy as np
import tensorflow as tf

from keras_video.data import samplers

# Frame rates that cameras and websites use.
_RATES = (12.5, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60)
# Up to these lengths every index is compared with the sampler's when the graph is made.
_COMPARED_LENGTHS = 10_000
_COMPARED_LENGTHS_OF_RATES = 1_000
# Positions so close below a frame are that frame: more than float32 errs, less than frame rates
# set positions apart.
_TIE = 1e-5


class GraphSampling:
    """Which frames make a clip, computed in a graph from the length of the video.

    Samplers compute in float64, which not all runtimes have. Here positions are fractions of
    integers (`"slowfast"`: float32 parts of a frame beside whole frames), and the few indices
    where float64 ends up on the other side of a whole number are listed in the graph. So indices
    are those of the sampler for videos of up to 10,000 frames, and with a frame rate for up to
    1,000 frames at the usual rates. Beyond that an index may be that of the frame beside,
    where the sampler's position is within 1e-5 of a whole number.

    Args:
        sampling: name of a sampler, as for `VideoPreprocessor`.
        num_frames: frames per clip.
        num_clips: clips per video.

    Attributes:
        needs_fps: whether indices depend on the frame rate of the video.

    Call arguments:
        length: int32 scalar, number of frames in the video, at least 1.
        fps: its frame rate, float32 scalar. Where it is not known `None`, or 0 in the graph.

    Returns (call):
        int32 tensor `(num_clips, num_frames)`.

    Raises:
        ValueError: the sampler is not one of `keras_video.data.samplers`.

    Example:

    >>> GraphSampling("segment", num_frames=8)(tf.constant(20)).numpy()
    array([[ 1,  3,  6,  8, 11, 13, 16, 18]], dtype=int32)
    """

    def __init__(self, sampling: str, num_frames: int, num_clips: int = 1):
        sampler = samplers.get_sampler(sampling)
        options = {}
        if isinstance(sampler, functools.partial):
            sampler, options = sampler.func, sampler.keywords
        formula = _FORMULAS.get(sampler)
        if formula is None or not set(options) <= set(formula.__kwdefaults__ or ()):
            raise ValueError(
                "A graph can hold the samplers of `keras_video.data.samplers` only; export "
                "without the preprocessing, or write the sampling with one of them. "
                f"Received: sampling={sampling!r}"
            )
        self._formula = functools.partial(
            formula, num_frames=num_frames, num_clips=num_clips, **options
        )
        self._shape = (num_clips, num_frames)
        self.needs_fps = formula is _slowfast
        self._usual_fps = options.get("target_fps", 30.0)
        with tf.init_scope():
            self._corrections = self._compare(
                functools.partial(sampler, num_frames=num_frames, num_clips=num_clips, **options)
            )

    def __call__(self, length, fps=None):
        length = tf.cast(length, tf.int32)
        if self.needs_fps:
            fps = tf.cast(self._usual_fps if fps is None else fps, tf.float32)
            fps = tf.where(fps > 0, fps, self._usual_fps)
        indices = self._indices(length, fps)
        for rate, lengths, differences in self._corrections:
            matches = lengths == length
            if self.needs_fps:
                matches &= tf.abs(fps - np.float32(rate)) < 1e-5
            found = tf.reduce_sum(tf.cast(matches, tf.float32)[:, None] * differences, axis=0)
            indices += tf.reshape(tf.cast(found, tf.int32), self._shape)
        return indices

    def _indices(self, length, fps):
        return self._formula(length, fps=fps) if self.needs_fps else self._formula(length)

    def _compare(self, sampler) -> list[tuple]:
        """For each rate: lengths, and what the formula lacks at them."""
        limits = {self._usual_fps: _COMPARED_LENGTHS}
        if self.needs_fps:
            limits = dict.fromkeys(_RATES, _COMPARED_LENGTHS_OF_RATES) | limits
        corrections = []
        for rate, limit in limits.items():
            lengths = np.arange(1, limit + 1, dtype=np.int32)
            found = self._indices(lengths[:, None, None], tf.constant(rate, tf.float32)).numpy()
            correct = np.stack([sampler(int(length), fps=rate) for length in lengths])
            differences = (correct - found).reshape(limit, -1)
            wrong = differences.any(axis=1)
            if wrong.any():
                corrections.append((rate, lengths[wrong], differences[wrong].astype(np.float32)))
        return corrections


def _deal(num_frames: int, num_clips: int) -> np.ndarray:
    """Numbers of the segments that clips get in turn: int32 `(num_clips, num_frames)`."""
    numbers = np.arange(num_frames * num_clips, dtype=np.int32)
    return numbers.reshape(num_frames, num_clips).T


def _fraction(value, numerators, denominator: int):
    """`value * numerators // denominator`, with no large number in between."""
    rest = value % denominator
    return value // denominator * numerators + rest * numerators // denominator


def _segment(length, num_frames, num_clips, *, repeat_first=False):
    total = num_frames * num_clips
    indices = _fraction(length, 2 * _deal(num_frames, num_clips) + 1, 2 * total)
    indices = tf.minimum(indices, length - 1)
    return indices * tf.cast(length > total, tf.int32) if repeat_first else indices


def _uniform(length, num_frames, num_clips, *, segment_frames=1):
    numbers = _deal(num_frames, num_clips)
    size = length // (num_frames * num_clips // segment_frames)
    starts = numbers // segment_frames * tf.maximum(size, 1)
    middle = tf.maximum(size - 1, 0) // 2 * tf.cast(size >= segment_frames, tf.int32)
    return (starts + middle + numbers % segment_frames) % length


def _linspace(length, num_frames, num_clips, *, window=None):
    span = length - 1 if window is None else window - 1 + 0 * length
    steps = max(num_frames * num_clips - 1, 1)
    return tf.minimum(_fraction(span, _deal(num_frames, num_clips), steps), length - 1)


def _dense(length, num_frames, num_clips, *, window=64):
    last = tf.maximum(length - window, 0)
    clips = np.arange(num_clips, dtype=np.int32)[:, None]
    starts = _fraction(last, clips, num_clips - 1) if num_clips > 1 else last // 2 + clips
    frames = np.arange(num_frames, dtype=np.int32) * max(window // num_frames, 1)
    return (starts + frames) % length


def _interval(length, num_frames, num_clips, *, frame_interval=2):
    places = tf.maximum(length - num_frames * frame_interval + 1, 0)
    clips = np.arange(num_clips, dtype=np.int32)[:, None]
    starts = _fraction(places, 2 * clips + 1, 2 * num_clips)
    return (starts + np.arange(num_frames, dtype=np.int32) * frame_interval) % length


def _slowfast(length, num_frames, num_clips, *, fps, frame_interval=2, target_fps=30.0, place=0.5):
    """Whole frames are integers, and parts of a frame float32: together they are exact enough."""
    target = Fraction(target_fps).limit_denominator(1001)
    window, window_part = _whole_and_part(
        tf.floor(fps),
        fps - tf.floor(fps),
        num_frames * frame_interval * target.denominator,
        target.numerator,
    )
    last_part = -window_part
    last = length - window
    longer = tf.cast(last, tf.float32) + last_part > 0
    last *= tf.cast(longer, tf.int32)
    last_part *= tf.cast(longer, tf.float32)

    clips = np.arange(num_clips, dtype=np.int32)[:, None]
    if num_clips == 1:
        start = Fraction(place).limit_denominator(1000)
        clips, num_clips = clips + start.numerator, start.denominator
    frames = np.arange(num_frames, dtype=np.int32)
    steps = max(num_frames - 1, 1)
    part = tf.cast(last % num_clips * clips % num_clips, tf.float32) / num_clips
    part += clips.astype(np.float32) * last_part / num_clips
    part += tf.cast(frames, tf.float32) * window_part / steps
    part += tf.cast((window - 1) % steps * frames % steps, tf.float32) / steps
    whole = _fraction(last, clips, num_clips) + _fraction(window - 1, frames, steps)
    indices = whole + tf.cast(tf.floor(part + _TIE), tf.int32)
    return tf.clip_by_value(indices, 0, length - 1)


def _whole_and_part(whole, part, factor: int, divisor: int):
    """`(whole + part) * factor / divisor`, again as a whole number (int32) and its part."""
    product = tf.cast(whole, tf.int32) * factor
    rest = (tf.cast(product % divisor, tf.float32) + part * factor) / divisor
    carry = tf.floor(rest)
    return product // divisor + tf.cast(carry, tf.int32), rest - carry


_FORMULAS = {
    samplers.sample_segment: _segment,
    samplers.sample_uniform: _uniform,
    samplers.sample_linspace: _linspace,
    samplers.sample_dense: _dense,
    samplers.sample_interval: _interval,
    samplers.sample_slowfast: _slowfast,
}
