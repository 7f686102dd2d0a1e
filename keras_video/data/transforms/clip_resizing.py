"""Resizing of clips of either type."""

import numpy as np
from PIL import Image

from keras_video.data.resizing import INTERPOLATIONS, resize


def check_interpolation(interpolation: str) -> str:
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"`interpolation` must be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation!r}"
        )
    return interpolation


def resize_clip(clip: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """`keras_video.data.resize`, and the like for floats, always with Pillow's weights."""
    if clip.dtype == np.uint8 or clip.shape[1:3] == tuple(size):
        return resize(clip, size, interpolation) if clip.dtype == np.uint8 else clip
    resized = np.empty((len(clip), *size, clip.shape[-1]), np.float32)
    for frame, result in zip(clip, resized, strict=True):
        for channel in range(clip.shape[-1]):
            plane = Image.fromarray(np.ascontiguousarray(frame[..., channel]))
            result[..., channel] = plane.resize(size[::-1], Image.Resampling.BILINEAR)
    return resized
