"""`WholeVideo`: a video as models with preprocessing take it."""

from dataclasses import dataclass

import numpy as np

from keras_video.data.decoders import open_video
from keras_video.data.video_pipeline import VideoPipeline, check_frames, to_uint8

# What the frames of a video may take, most of which are never touched.
_MOST_BYTES = 16 * 2**30


@dataclass(frozen=True)
class WholeVideo:
    """The frames of a video.

    Attributes:
        frames: uint8 `(time, height, width, 3)`; those that the model does not look at may be
            black.
        fps: frames a second, a float32 scalar; 0 if unknown.
    """

    frames: np.ndarray
    fps: np.ndarray


def whole_video(pipeline: VideoPipeline, source) -> WholeVideo:
    """Decodes what a model with preprocessing will look at.

    It samples by itself; but what it will sample is known, and only that is decoded. The other
    frames stay black, and on most systems take no memory until a runtime copies them.

    Args:
        pipeline: the model's preprocessing.
        source: a path, `bytes`, a binary file, or decoded frames.

    Raises:
        keras_video.data.VideoDecodeError: the video cannot be decoded.
        ValueError: it is too long to be taken as a whole.
    """
    if not isinstance(source, str | bytes | bytearray | memoryview) and hasattr(
        source, "__array__"
    ):
        return WholeVideo(to_uint8(check_frames(source)), np.float32(0))
    with open_video(source, decoder=pipeline.decoder) as video:
        places = np.unique(pipeline.frame_indices(len(video), video.fps))
        sampled = video.get_frames(places)
        shape = (len(video), *sampled.shape[1:])
        if np.prod(shape, dtype="int64") > _MOST_BYTES:
            raise ValueError(
                "The video is too long to be given as a whole; a model exported without "
                f"preprocessing takes its views alone. Received: {shape[0]} frames of "
                f"{shape[1]} x {shape[2]}"
            )
        frames = np.zeros(shape, "uint8")
        frames[places] = sampled
        return WholeVideo(frames, np.float32(video.fps or 0))
