"""Changes of colour as matrices `(3, 4)`: new RGB = matrix[:, :3] @ RGB + matrix[:, 3]."""

import math

import numpy as np
from PIL import Image

# Rec. 601, as Pillow's conversion to grey.
GREY = np.array([0.299, 0.587, 0.114])
_TO_YIQ = np.array([GREY, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


def brightness(factor: float) -> np.ndarray:
    return _matrix(factor * np.eye(3))


def contrast(factor: float, grey: float) -> np.ndarray:
    """Away from a grey level, usually the mean one, or towards it."""
    return _matrix(factor * np.eye(3), (1 - factor) * grey)


def saturation(factor: float) -> np.ndarray:
    return _matrix(factor * np.eye(3) + (1 - factor) * GREY)


def hue(turns: float) -> np.ndarray:
    """A rotation of the plane of colours that keeps the grey level of each pixel."""
    cosine, sine = math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)
    rotation = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return _matrix(_FROM_YIQ @ rotation @ _TO_YIQ)


def chain(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """One matrix that does what two do in turn."""
    return _matrix(then[:, :3] @ first[:, :3], then[:, :3] @ first[:, 3] + then[:, 3])


def mean_grey(clip: np.ndarray) -> float:
    """The mean grey level of a clip, from every fourth pixel of every fourth row."""
    return float(clip[:, ::4, ::4].mean(axis=(0, 1, 2), dtype=np.float64) @ GREY)


def apply_matrix(clip: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Changes all pixels of a clip and limits them to 0 to 255."""
    if clip.dtype != np.uint8:
        changed = clip @ matrix[:, :3].T.astype(np.float32)
        changed += matrix[:, 3].astype(np.float32)
        return np.clip(changed, 0, 255, out=changed)
    changed = as_picture(clip).convert("RGB", tuple(matrix.reshape(-1).tolist()))
    return np.asarray(changed).reshape(clip.shape)


def as_picture(clip: np.ndarray) -> Image.Image:
    """All frames below each other: one call of Pillow serves them all."""
    clip = np.ascontiguousarray(clip)
    return Image.fromarray(clip.reshape(-1, *clip.shape[2:]))


def _matrix(linear: np.ndarray, offset: float | np.ndarray = 0.0) -> np.ndarray:
    return np.column_stack([linear, np.broadcast_to(offset, 3)])
