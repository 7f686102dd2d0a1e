"""Rendered clips whose class only time can tell: the data of the demo and of the tiny preset."""

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image

from keras_video.data.moving_shapes import (
    SPRITE_SIDE,
    Pose,
    contrasting_colours,
    draw_shape,
    draw_texture,
    pose_between,
    stamp,
)

# Opposites stand side by side: the opposite of class `i` is class `i ^ 1`.
MOTION_CLASSES = (
    "moving left",
    "moving right",
    "moving up",
    "moving down",
    "rotating counterclockwise",
    "rotating clockwise",
    "zooming out",
    "zooming in",
)

_MARGIN = 0.02


def opposite_motion(label: str) -> str:
    """Returns the class that `label` becomes when a clip is played backwards."""
    return MOTION_CLASSES[_class_id(label) ^ 1]


def render_motion_clip(label: str, seed: int, num_frames: int = 16, size: int = 112) -> np.ndarray:
    """Renders a textured shape that moves, turns or grows over a textured background.

    The two classes of a pair (left and right, up and down, the two rotations, in and out)
    are the same clips played forwards and backwards:
    `render_motion_clip(label, seed)[::-1]` equals `render_motion_clip(opposite, seed)`.
    A set of frames without its order is therefore equally likely under both, and a model
    that averages over frames, such as TSN, can't beat chance within a pair.

    Colours, textures, outline, size, place, speed, brightness, noise, small disturbing
    movements and a static second shape are drawn from the seed. The moving shape is inside
    the picture in every frame, and turns by less than 60 degrees between two of eight evenly
    spaced frames.

    Args:
        label: one of `MOTION_CLASSES`.
        seed: non-negative integer; the same label and seed give the same scene, whatever
            the number of frames.
        num_frames: frames from the start to the end of the movement, at least 2.
        size: height and width in pixels, at least 16.

    Returns:
        `uint8` RGB array of shape `(num_frames, size, size, 3)`.

    Raises:
        ValueError: an unknown label, a negative seed, too few frames or pixels.

    Example:

    >>> clip = render_motion_clip("moving left", seed=7, num_frames=16, size=112)
    >>> clip.shape
    (16, 112, 112, 3)
    """
    class_id = _class_id(label)
    if seed < 0:
        raise ValueError(f"`seed` must not be negative. Received: seed={seed}")
    if num_frames < 2:
        raise ValueError(f"A movement needs 2 frames or more. Received: num_frames={num_frames}")
    if size < 16:
        raise ValueError(f"`size` must be 16 pixels or more. Received: size={size}")

    axis, backwards = divmod(class_id, 2)
    scene_rng, noise_rng = np.random.default_rng([seed, axis]).spawn(2)
    scene = _draw_scene(scene_rng, axis)
    # Axes are rendered as left, up, counterclockwise, out; the other four are their reversals.
    frames = _film(scene, num_frames, size)
    frames = _expose(noise_rng, frames, scene.gain_drift)
    return np.ascontiguousarray(frames[::-1]) if backwards else frames


def _class_id(label: str) -> int:
    try:
        return MOTION_CLASSES.index(label)
    except ValueError:
        raise ValueError(
            f"`label` must be one of {', '.join(map(repr, MOTION_CLASSES))}. "
            f"Received: label={label!r}"
        ) from None


@dataclass(frozen=True)
class _Scene:
    background: Image.Image
    shape: Image.Image
    start: Pose
    end: Pose
    ease: float
    gain_drift: float
    distractor: tuple[Image.Image, Pose] | None


def _draw_scene(rng: np.random.Generator, axis: int) -> _Scene:
    first, second = contrasting_colours(rng)
    background = Image.fromarray(draw_texture(rng, first, spread=rng.uniform(10, 45)))
    start, end = (_slide, _slide, _turn, _shrink)[axis](rng)
    if axis == 1:
        start, end = _transposed(start), _transposed(end)
    distractor = None
    if rng.random() < 0.5:
        colour = 0.5 * first + 0.5 * rng.uniform(20, 235, 3)
        radius = rng.uniform(0.06, 0.13)
        x, y = rng.uniform(radius, 1 - radius, 2)
        distractor = draw_shape(rng, colour), Pose(x, y, radius, rng.uniform(0, 2 * np.pi))
    return _Scene(
        background=background,
        shape=draw_shape(rng, second),
        start=start,
        end=end,
        ease=rng.uniform(-0.35, 0.35),
        gain_drift=rng.uniform(-0.12, 0.12),
        distractor=distractor,
    )


def _slide(rng: np.random.Generator) -> tuple[Pose, Pose]:
    """A movement to the left, with a little turn, growth and sideways drift."""
    radius = rng.uniform(0.12, 0.22)
    growth = rng.uniform(0.92, 1.08)
    low = radius * max(1.0, growth) + _MARGIN
    room = 1 - 2 * low
    travel = room * rng.uniform(0.55, 1.0)
    left = low + rng.uniform(0, room - travel)
    drift = rng.uniform(-0.06, 0.06)
    side = rng.uniform(low + abs(drift) / 2, 1 - low - abs(drift) / 2)
    angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2)
    return (
        Pose(left + travel, side - drift / 2, radius, angle - turn / 2),
        Pose(left, side + drift / 2, radius * growth, angle + turn / 2),
    )


def _turn(rng: np.random.Generator) -> tuple[Pose, Pose]:
    """A counterclockwise rotation, with a little growth and drift."""
    radius = rng.uniform(0.17, 0.32)
    growth = rng.uniform(0.92, 1.08)
    (x0, x1), (y0, y1) = (_resting_place(rng, radius * max(1.0, growth)) for _ in range(2))
    angle, turn = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(130, 270))
    return Pose(x0, y0, radius, angle), Pose(x1, y1, radius * growth, angle - turn)


def _shrink(rng: np.random.Generator) -> tuple[Pose, Pose]:
    """A shape that moves away, with a little turn and drift."""
    radius = rng.uniform(0.22, 0.38)
    (x0, x1), (y0, y1) = (_resting_place(rng, radius) for _ in range(2))
    angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2)
    return (
        Pose(x0, y0, radius, angle - turn / 2),
        Pose(x1, y1, radius / rng.uniform(1.7, 2.6), angle + turn / 2),
    )


def _resting_place(rng: np.random.Generator, radius: float) -> tuple[float, float]:
    """One coordinate at the start and at the end, for a centre that hardly moves."""
    low = radius + _MARGIN
    start = rng.uniform(low, 1 - low)
    return start, float(np.clip(start + rng.uniform(-0.05, 0.05), low, 1 - low))


def _transposed(pose: Pose) -> Pose:
    return Pose(pose.y, pose.x, pose.radius, pose.angle)


def _film(scene: _Scene, num_frames: int, size: int) -> np.ndarray:
    stage = scene.background.resize((size, size), Image.Resampling.BICUBIC)
    if scene.distractor:
        stamp(stage, *scene.distractor)
    time = np.linspace(0, 1, num_frames)
    time = time + scene.ease * np.sin(2 * np.pi * time) / (2 * np.pi)
    shrunk = functools.cache(scene.shape.reduce)
    frames = np.empty((num_frames, size, size, 3), "uint8")
    for frame, now in zip(frames, time, strict=True):
        pose = pose_between(scene.start, scene.end, now)
        # Scaling down by more than 2 in one bilinear step would flicker.
        factor = max(1, int(SPRITE_SIDE / (2 * pose.radius * size)))
        picture = stage.copy()
        stamp(picture, shrunk(factor), pose)
        frame[...] = picture
    return frames


def _expose(rng: np.random.Generator, frames: np.ndarray, drift: float) -> np.ndarray:
    """Adds a slow change of brightness, flicker and sensor noise."""
    count = len(frames)
    gain = 1 + drift * np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.01, count)
    strength = int(rng.integers(1, 7))
    noise = rng.integers(-strength, strength + 1, frames.shape, dtype="int8")
    exposed = frames * gain.astype("float32")[:, None, None, None]
    exposed += noise
    return np.clip(exposed, 0, 255, out=exposed).astype("uint8")
