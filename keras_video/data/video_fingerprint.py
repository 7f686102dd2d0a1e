"""Recognises the same pictures in another file: renamed, remuxed, encoded again, resized."""

from collections import defaultdict
from collections.abc import Hashable

import numpy as np
from PIL import Image

from keras_video.data.samplers import sample_segment

_FRAMES, _SIDE, _COARSE = 8, 16, 4
# Encoding again moves all pixels of a thumbnail by a few grey levels together (FFmpeg's rounding,
# the colour matrix), and by little against each other, most where the contrast is high.
_SAME_BRIGHTNESS, _SAME_PICTURE, _SAME_CONTRAST = 5.0, 1.5, 0.06
# What changes over time must agree within this share, or within the noise of an encoder.
_SAME_MOTION, _ENCODER_NOISE = 0.4, 0.6


def fingerprint_indices(length: int) -> np.ndarray:
    """The frames of a video that `fingerprint_frames` wants."""
    return sample_segment(length, _FRAMES)[0]


def fingerprint_thumbnail(frame: np.ndarray) -> np.ndarray:
    """One frame `(height, width, 3)`, small and grey: `transform=` for `get_frames`."""
    grey = Image.fromarray(frame).convert("L")
    return np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX))


class FingerprintIndex:
    """Finds the first video of those added that shows the same pictures.

    A fingerprint is eight thumbnails of evenly spaced frames. Two videos show the same when all
    thumbnails agree within the errors of an encoder, and what changes from thumbnail to thumbnail
    agrees as well: other clips of one scene, or the same clip played backwards, are not the same.
    Copies that were cut, cropped or mirrored are not recognised.

    Example:

    >>> index = FingerprintIndex()
    >>> with open_video("a.mp4") as video:
    ...     frames = fingerprint_indices(len(video))
    ...     index.add("a.mp4", video.get_frames(frames, transform=fingerprint_thumbnail))
    """

    def __init__(self):
        self._keys: list[Hashable] = []
        self._prints: list[np.ndarray] = []
        # (thumbnail, which of its coarse cells are bright) -> videos
        self._buckets: dict[tuple[int, int], list[int]] = defaultdict(list)

    def add(self, key: Hashable, thumbnails: np.ndarray) -> Hashable | None:
        """Adds a video unless it is a copy.

        Args:
            key: what to call it.
            thumbnails: uint8 array `(8, 16, 16)`.

        Returns:
            The key of the video that it copies, or None.
        """
        codes = [(place, code) for place, code in enumerate(_codes(thumbnails))]
        near = sorted({video for code in codes for video in self._buckets[code]})
        for video in near:
            if _same(self._prints[video], thumbnails):
                return self._keys[video]
        for code in codes:
            self._buckets[code].append(len(self._keys))
        self._keys.append(key)
        self._prints.append(thumbnails)
        return None


def _codes(thumbnails: np.ndarray) -> list[int]:
    cell = _SIDE // _COARSE
    shape = (_FRAMES, _COARSE, cell, _COARSE, cell)
    cells = thumbnails.reshape(shape).mean(axis=(2, 4)).reshape(_FRAMES, -1)
    bright = cells > np.median(cells, axis=1, keepdims=True) + 1
    return (bright @ (1 << np.arange(_COARSE * _COARSE))).tolist()


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    first, second = first.astype(np.float32), second.astype(np.float32)
    difference = first - second
    bias = difference.mean()
    if abs(bias) > _SAME_BRIGHTNESS:
        return False
    allowed = max(_SAME_PICTURE, _SAME_CONTRAST * first.std())
    if np.abs(difference - bias).mean(axis=(1, 2)).max() > allowed:
        return False
    first_motion, second_motion = first - first.mean(axis=0), second - second.mean(axis=0)
    motion = max(_rms(first_motion), _rms(second_motion))
    return _rms(first_motion - second_motion) <= max(_SAME_MOTION * motion, _ENCODER_NOISE)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))
