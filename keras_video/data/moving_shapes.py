"""Textures and textured shapes, drawn, placed and turned: what rendered videos are made of."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

# Outlines in the unit square, y down; none maps onto itself under a rotation.
_OUTLINES = (
    ((-0.9, 0.7), (0.0, -1.0), (0.9, 0.7), (0.0, 0.25)),  # dart
    ((-0.6, -1.0), (0.0, -1.0), (0.0, 0.4), (0.8, 0.4), (0.8, 1.0), (-0.6, 1.0)),  # L
    ((-0.3, 1.0), (-0.3, 0.0), (-0.9, 0.0), (0.0, -1.0), (0.9, 0.0), (0.3, 0.0), (0.3, 1.0)),
    ((-0.6, 1.0), (-0.6, -1.0), (0.8, -1.0), (0.8, -0.5), (0.0, -0.5), (0.0, 1.0)),  # gamma
    ((-1.0, 0.5), (0.6, -0.8), (1.0, 0.5)),  # leaning triangle
    ((0.0, -1.0), (0.5, -0.4), (0.25, 1.0), (-0.25, 1.0), (-0.5, -0.4)),  # pencil
    ((-0.7, -0.9), (0.9, -0.9), (0.4, 0.0), (0.9, 0.9), (-0.7, 0.9)),  # flag
)

SPRITE_SIDE = 128  # side of the pictures that shapes are drawn on, scaled down from there
_BACKDROP = 64  # textures are smooth: drawn at this side, then enlarged


@dataclass(frozen=True)
class Pose:
    """Where the shape is: centre and radius in picture sides, angle in radians, clockwise."""

    x: float
    y: float
    radius: float
    angle: float


def contrasting_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    first = rng.uniform(25, 230, 3)
    second = rng.uniform(25, 230, 3)
    while np.abs(first - second).sum() < 170:
        second = rng.uniform(10, 245, 3)
    return first, second


def draw_texture(rng: np.random.Generator, colour: np.ndarray, spread: float) -> np.ndarray:
    """Returns smooth noise, stripes or spots around a colour, `uint8` RGB."""
    rows, columns = np.mgrid[0:_BACKDROP, 0:_BACKDROP].astype("float32") / _BACKDROP
    pattern = _smooth_noise(rng, cells=int(rng.integers(3, 12)))
    if rng.random() < 0.5:
        direction, waves = rng.uniform(0, np.pi), rng.uniform(2, 7)
        across = rows * np.sin(direction) + columns * np.cos(direction)
        pattern = 0.5 * pattern + 0.5 * np.sin(2 * np.pi * waves * across + rng.uniform(0, 6))
    tint = rng.uniform(0.4, 1.0, 3) * spread
    return np.clip(colour + pattern[..., None] * tint, 0, 255).astype("uint8")


def _smooth_noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    grid = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype("float32"))
    return np.asarray(grid.resize((_BACKDROP, _BACKDROP), Image.Resampling.BICUBIC))


def draw_shape(rng: np.random.Generator, colour: np.ndarray) -> Image.Image:
    """Draws a textured shape of two tones, RGBA; it fits the circle inside the picture."""
    texture = draw_texture(rng, colour, spread=rng.uniform(10, 40))
    sprite = Image.fromarray(texture).resize((SPRITE_SIDE, SPRITE_SIDE), Image.Resampling.BILINEAR)
    outline = np.array(_OUTLINES[rng.integers(len(_OUTLINES))])
    outline = outline * [rng.choice([-1, 1]), 1] + rng.uniform(-0.08, 0.08, outline.shape)
    outline -= (outline.min(axis=0) + outline.max(axis=0)) / 2
    outline /= np.linalg.norm(outline, axis=1).max()

    # A blot off the centre makes the inside as lopsided as the outline.
    blot = tuple(int(value) for value in np.clip(colour + rng.choice([-90, 90]), 0, 255))
    corner = outline[rng.integers(len(outline))] * 0.45
    ImageDraw.Draw(sprite).ellipse(_box(corner, rng.uniform(0.15, 0.3), SPRITE_SIDE), fill=blot)

    mask = Image.new("L", (2 * SPRITE_SIDE, 2 * SPRITE_SIDE))
    points = [tuple(point) for point in (outline * 0.98 + 1) * SPRITE_SIDE]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    sprite.putalpha(mask.reduce(2))
    return sprite


def _box(centre: np.ndarray, radius: float, side: int) -> tuple[float, ...]:
    x, y = (centre + 1) * side / 2
    reach = radius * side / 2
    return x - reach, y - reach, x + reach, y + reach


def pose_between(start: Pose, end: Pose, now: float) -> Pose:
    def mix(first: float, last: float) -> float:
        return first + (last - first) * now

    return Pose(
        mix(start.x, end.x),
        mix(start.y, end.y),
        start.radius * (end.radius / start.radius) ** now,
        mix(start.angle, end.angle),
    )


def stamp(picture: Image.Image, sprite: Image.Image, pose: Pose) -> None:
    """Draws the sprite onto the picture, turned, scaled and placed with sub-pixel accuracy."""
    size = picture.width
    x, y, radius = pose.x * size, pose.y * size, pose.radius * size
    left, top = int(np.floor(x - radius)), int(np.floor(y - radius))
    side = int(np.ceil(2 * radius)) + 2
    scale = sprite.width / (2 * radius)
    cos, sin = np.cos(pose.angle) * scale, np.sin(pose.angle) * scale
    middle = sprite.width / 2
    dx, dy = left - x, top - y
    patch = sprite.transform(
        (side, side),
        Image.Transform.AFFINE,
        (cos, sin, cos * dx + sin * dy + middle, -sin, cos, -sin * dx + cos * dy + middle),
        Image.Resampling.BILINEAR,
    )
    picture.paste(patch, (left, top), patch)
