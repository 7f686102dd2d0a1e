"""`GraphPreprocessing`: what a preprocessor does to decoded frames, as part of a graph."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.export.graph_resizing import GraphResizing
from keras_video.export.graph_sampling import GraphSampling


class GraphPreprocessing:
    """Samples, resizes and crops the frames of a video in TensorFlow operations.

    The operations are those that ONNX, OpenVINO and LiteRT have too. Views are those of the
    pipeline to the last bit, within the limits that `GraphSampling` and `GraphResizing` state.
    Only sampled frames are resized, each frame of a clip once for all its crops, and only where
    a crop needs them.

    A graph cannot raise errors. Where the pipeline does, because frames are smaller than the
    crop (with `short_side=None` only), the views repeat the last row and column of the frames.
    A video without frames is for the caller to refuse.

    Args:
        pipeline: a `VideoPipeline` or `VideoPreprocessor`. `"decoder"` interpolation is
            `"bilinear"` here, as it is for arrays there.

    Attributes:
        needs_fps: whether the views depend on the frame rate of the video.

    Call arguments:
        frames: uint8 tensor `(time, height, width, 3)`, every size but the last unknown.
        fps: the video's frame rate, float32 scalar; `None`, or 0 in the graph, if unknown.

    Returns (call):
        uint8 tensor `(num_views, num_frames, crop_size, crop_size, 3)`.

    Raises:
        ValueError: the sampler is not one of `keras_video.data.samplers`.

    Example:

    >>> preprocess = GraphPreprocessing(VideoPipeline(num_frames=8, crop="three"))
    >>> preprocess(tf.zeros((100, 240, 320, 3), tf.uint8)).shape
    TensorShape([3, 8, 224, 224, 3])
    """

    def __init__(self, pipeline: VideoPipeline):
        self.pipeline = pipeline
        self._sampling = GraphSampling(pipeline.sampling, pipeline.num_frames, pipeline.num_clips)
        self._resizing = GraphResizing(
            pipeline.short_side,
            aspect_ratio=pipeline.aspect_ratio,
            interpolation=(
                "bilinear" if pipeline.interpolation == "decoder" else pipeline.interpolation
            ),
            rounding=pipeline.rounding,
        )
        self.needs_fps = self._sampling.needs_fps

    def __call__(self, frames, fps=None):
        shape = tf.shape(frames)
        if fps is not None:
            fps = tf.reshape(fps, ())
        indices = self._sampling(shape[0], fps)
        size = self._resizing.size(shape[1], shape[2])
        crop_size = self.pipeline.crop_size
        margins = [tf.maximum(side - crop_size, 0) for side in size]
        places = _PLACES[self.pipeline.crop](*margins)
        top, rows = _span([place.top for place in places], crop_size)
        left, columns = _span([place.left for place in places], crop_size)
        resize = self._resizing.region(shape[1], shape[2], rows, columns)
        # Clip by clip, for the float32 of only one is in memory then.
        clips = [resize(tf.gather(frames, clip)) for clip in tf.unstack(indices)]
        views = tf.concat(clips, axis=0)
        if len(places) > 1:
            views = tf.concat([_cut(views, place, top, left, crop_size) for place in places], 0)
        pipeline = self.pipeline
        return tf.reshape(views, (pipeline.num_views, pipeline.num_frames, crop_size, crop_size, 3))


class _Place(NamedTuple):
    """Where a crop is (int32 scalars), and whether it is mirrored."""

    top: tf.Tensor
    left: tf.Tensor
    mirrored: bool = False


def _span(starts: list, crop_size: int) -> tuple:
    """The first row (or column) that any crop needs, and all from it to the last."""
    if len(starts) == 1:
        return starts[0], starts[0] + tf.range(crop_size)
    first = functools.reduce(tf.minimum, starts)
    return first, tf.range(first, functools.reduce(tf.maximum, starts) + crop_size)


def _cut(frames, place: _Place, top, left, crop_size: int):
    offsets = np.arange(crop_size, dtype=np.int32)
    columns = offsets[::-1] if place.mirrored else offsets
    frames = tf.gather(frames, place.top - top + offsets, axis=1)
    return tf.gather(frames, place.left - left + columns, axis=2)


def _center(down, right) -> list[_Place]:
    return [_Place(*(margin // 2 + margin % 2 * (margin // 2 % 2) for margin in (down, right)))]


def _three(down, right) -> list[_Place]:
    middle, quarter = down // 4 * 2, right // 4
    return [_Place(middle, quarter * factor) for factor in (0, 4, 2)]


def _uniform(down, right) -> list[_Place]:
    middle = [(margin + 1) // 2 for margin in (down, right)]
    tall, wide = tf.cast(down > right, tf.int32), tf.cast(down <= right, tf.int32)
    return [
        _Place(wide * middle[0], tall * middle[1]),
        _Place(*middle),
        _Place(wide * middle[0] + tall * down, tall * middle[1] + wide * right),
    ]


def _ten(down, right) -> list[_Place]:
    down, right = down // 4, right // 4
    places = []
    for factors in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2)):
        place = _Place(down * factors[0], right * factors[1])
        places += [place, place._replace(mirrored=True)]
    return places


_PLACES = {"center": _center, "three": _three, "uniform": _uniform, "ten": _ten}
