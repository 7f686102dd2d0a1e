"""A few of many augmentations, with one strength for all."""

import math

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from keras_video.data.transforms import color_matrix
from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, check_clip, check_rng

_GREATEST = 10
_FILL = (128, 128, 128)


@keras_serializable
class RandAugment(Transform):
    """Applies `num_ops` randomly chosen operations, the same to all frames.

    The operations: identity, autocontrast, equalize, invert, posterize, solarize, brightness,
    contrast, color, sharpness, rotate, shear and translate along both axes. Those that go by a
    picture's histogram go by that of the whole clip, so brightness does not flicker. Frames that
    are moved leave grey behind.

    Args:
        num_ops: operations per clip.
        magnitude: strength from 0 to 10. At 10: 30 degrees, shears of 0.3, shifts of 0.45 of the
            frame, 4 of 8 bits left, factors of 0.1 or 1.9. Whether to go up or down, left or
            right is random.

    Returns:
        The changed clip. Pixels of float clips are rounded.

    Example:

    >>> augmented = RandAugment(num_ops=2, magnitude=9)(clip, np.random.default_rng(0))

    Reference:
        Cubuk et al., RandAugment, 2019 (https://arxiv.org/abs/1909.13719).
    """

    def __init__(self, num_ops: int = 2, magnitude: float = 9):
        if not isinstance(num_ops, int) or num_ops < 0:
            raise ValueError(f"`num_ops` is a number of them. Received: num_ops={num_ops!r}")
        if not isinstance(magnitude, (int, float)) or not 0 <= magnitude <= _GREATEST:
            raise ValueError(
                f"`magnitude` must be from 0 to {_GREATEST}. Received: magnitude={magnitude!r}"
            )
        self.num_ops = num_ops
        self.magnitude = magnitude

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        check_clip(clip)
        rng = check_rng(self, rng)
        dtype = clip.dtype
        for _ in range(self.num_ops):
            operation = _OPERATIONS[rng.integers(0, len(_OPERATIONS))]
            sign = 1 if rng.random() < 0.5 else -1
            if clip.dtype != np.uint8:
                clip = np.clip(np.rint(clip), 0, 255).astype(np.uint8)
            clip = operation(clip, self.magnitude / _GREATEST, sign)
        return clip.astype(dtype, copy=False)


def _identity(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return clip


def _autocontrast(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _at_once(clip, ImageOps.autocontrast)


def _equalize(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _at_once(clip, ImageOps.equalize)


def _invert(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return 255 - clip


def _posterize(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    dropped = round(4 * strength)
    return clip & np.uint8((0xFF << dropped) & 0xFF)


def _solarize(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    threshold = round(256 * (1 - strength))
    return _at_once(clip, lambda picture: ImageOps.solarize(picture, threshold))


def _brightness(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return color_matrix.apply_matrix(clip, color_matrix.brightness(1 + 0.9 * sign * strength))


def _contrast(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    matrix = color_matrix.contrast(1 + 0.9 * sign * strength, color_matrix.mean_grey(clip))
    return color_matrix.apply_matrix(clip, matrix)


def _color(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return color_matrix.apply_matrix(clip, color_matrix.saturation(1 + 0.9 * sign * strength))


def _sharpness(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    factor = 1 + 0.9 * sign * strength

    def sharpen(frame: Image.Image) -> Image.Image:
        return Image.blend(frame.filter(ImageFilter.SMOOTH), frame, factor)

    return _each(clip, sharpen)


def _rotate(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    angle = math.radians(30 * strength * sign)
    cosine, sine = math.cos(angle), math.sin(angle)
    return _affine(clip, [[cosine, sine], [-sine, cosine]])


def _shear_x(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _affine(clip, [[1, 0.3 * strength * sign], [0, 1]])


def _shear_y(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _affine(clip, [[1, 0], [0.3 * strength * sign, 1]])


def _translate_x(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _affine(clip, np.eye(2), shift=(0.45 * strength * sign, 0))


def _translate_y(clip: np.ndarray, strength: float, sign: int) -> np.ndarray:
    return _affine(clip, np.eye(2), shift=(0, 0.45 * strength * sign))


_OPERATIONS = (
    _identity,
    _autocontrast,
    _equalize,
    _invert,
    _posterize,
    _solarize,
    _brightness,
    _contrast,
    _color,
    _sharpness,
    _rotate,
    _shear_x,
    _shear_y,
    _translate_x,
    _translate_y,
)


def _at_once(clip: np.ndarray, change) -> np.ndarray:
    return np.asarray(change(color_matrix.as_picture(clip))).reshape(clip.shape)


def _each(clip: np.ndarray, change) -> np.ndarray:
    return np.stack([change(Image.fromarray(np.ascontiguousarray(frame))) for frame in clip])


def _affine(clip: np.ndarray, linear, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Each new pixel `p` from `center + linear @ (p - center) + shift`, in parts of the frame."""
    height, width = clip.shape[1:3]
    center = np.array([width / 2, height / 2])
    linear = np.asarray(linear, float)
    offset = center - linear @ center + np.multiply(shift, (width, height))
    data = np.column_stack([linear, offset]).reshape(-1).tolist()

    def move(frame: Image.Image) -> Image.Image:
        return frame.transform(
            frame.size,
            Image.Transform.AFFINE,
            data,
            resample=Image.Resampling.BILINEAR,
            fillcolor=_FILL,
        )

    return _each(clip, move)
