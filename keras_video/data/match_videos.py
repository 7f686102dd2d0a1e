"""Rendered long videos with actions at known times: what to try temporal localisation on."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_video.data.match_sounds import ACTION_SOUNDS, render_match_sound
from keras_video.data.moving_shapes import (
    SPRITE_SIDE,
    Pose,
    contrasting_colours,
    draw_shape,
    draw_texture,
    pose_between,
    stamp,
)
from keras_video.data.parallel_map import parallel_map
from keras_video.data.video_writer import write_video
from keras_video.data.whole_file import whole_file

MATCH_CLASSES = tuple(ACTION_SOUNDS)
_SAMPLE_RATE = 16000
_SHORTEST, _LONGEST, _GAP = 3.0, 8.0, 2.0  # seconds
_SHORTEST_VIDEO = 10.0
_DRIFT = 0.15  # share of the background, twice as wide as the picture, that it moves by


def write_match_videos(
    folder: str | os.PathLike,
    num_videos: int = 24,
    duration: float = 60.0,
    fps: int = 10,
    size: int = 64,
    seed: int = 0,
    sound: bool = True,
    workers: int | None = None,
) -> Path:
    """Writes long videos in which actions happen now and then, and a JSON file that says when.

    Over a background that drifts slowly, small shapes wander about. In an action, a larger shape
    comes in at one side, crosses the picture and leaves. Two classes tell by the picture, "moving
    left" and "moving right". The other two, "moving up to a whistle" and "moving up to a drum",
    look alike and differ by what is heard. Soft noise and beeps that mean nothing are heard all the
    time.

    An action takes 3 to 8 seconds, at least 2 seconds lie between two of them, and they fill at
    most half of a video. The four classes are equally frequent in all the videos together.

    The videos are H.264 in mp4 with an AAC track, mono, 16 kHz. A file appears under its name only
    when it is complete, the JSON file last; files of these names that were there are replaced.

    Args:
        folder: where to write; made if it is not there.
        num_videos: number of videos, at least 3. About a sixth of them, the last ones, are of the
            split `"test"`, a sixth before them of `"val"`, the others of `"train"`.
        duration: of each video in seconds, at least 10.
        fps: frames per second, 2 to 60.
        size: height and width in pixels, at least 16, even.
        seed: which videos, from 0; the same seed gives the same files.
        sound: whether the videos have a sound track. Without, nothing tells the two classes
            apart that look alike.
        workers: threads, by default one for each core.

    Returns:
        The path of `actions.json`:
        `{"actions_version": 1, "videos": [{"video": "videos/0000.mp4", "duration": 60.0, "split":
        "train", "actions": [{"label": "moving left", "start": 7.2, "end": 12.0}, ...]}, ...]}`.
        Paths are relative to the file, times are seconds; an action covers the frames whose
        times are at least its start and less than its end.

    Raises:
        ValueError: an argument is out of range.
        OSError: a file cannot be written.

    Example:

    >>> write_match_videos("match", num_videos=24)
    PosixPath('match/actions.json')
    """
    _check(num_videos, duration, fps, size, seed)
    folder = Path(folder)
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    plans = _plan(num_videos, duration, fps, seed)
    num_held_out = max(1, round(num_videos / 6))

    def write(index: int) -> dict:
        plan = plans[index]
        picture_rng, sound_rng = np.random.default_rng([seed, index, 7061]).spawn(2)
        num_frames = round(duration * fps)
        track = render_match_sound(sound_rng, plan, num_frames / fps, _SAMPLE_RATE)
        write_video(
            folder / _name(index),
            _film(picture_rng, plan, num_frames, fps, size),
            fps,
            sound=track if sound else None,
            sample_rate=_SAMPLE_RATE,
        )
        after = num_videos - index
        split = "test" if after <= num_held_out else "val" if after <= 2 * num_held_out else "train"
        return {
            "video": _name(index),
            "duration": num_frames / fps,
            "split": split,
            "actions": [{"label": label, "start": start, "end": end} for label, start, end in plan],
        }

    videos = list(parallel_map(write, range(num_videos), workers))
    path = folder / "actions.json"
    with whole_file(path) as temporary:
        content = {"actions_version": 1, "videos": videos}
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _name(index: int) -> str:
    return f"videos/{index:04d}.mp4"


def _check(num_videos, duration, fps, size, seed) -> None:
    for name, value, low, high in (
        ("num_videos", num_videos, 3, 1_000_000),
        ("fps", fps, 2, 60),
        ("size", size, 16, 4096),
        ("seed", seed, 0, 2**63),
    ):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or not low <= value <= high or (name == "size" and value % 2):
            even = "an even number" if name == "size" else "an integer"
            raise ValueError(
                f"`{name}` must be {even} from {low} to {high}. Received: {name}={value!r}"
            )
    if not _SHORTEST_VIDEO <= duration <= 86_400:
        raise ValueError(
            f"`duration` must be {_SHORTEST_VIDEO:.0f} to 86400 seconds. "
            f"Received: duration={duration!r}"
        )


def _plan(num_videos: int, duration: float, fps: int, seed: int) -> list[list[tuple]]:
    """Label, start and end of the actions of each video; times lie on frames."""
    rng = np.random.default_rng([seed, 2741])
    labels: list[str] = []
    plans = []
    for _ in range(num_videos):
        plan = []
        for start, end in _times(rng, round(duration * fps), fps):
            labels = labels or list(rng.permutation(MATCH_CLASSES))
            plan.append((str(labels.pop()), start / fps, end / fps))
        plans.append(plan)
    return plans


def _times(rng: np.random.Generator, num_frames: int, fps: int) -> list[tuple[int, int]]:
    """First frame of each action, and the one after its last."""
    gap = int(np.ceil(_GAP * fps))
    shortest, longest = int(np.ceil(_SHORTEST * fps)), int(_LONGEST * fps)
    budget = max(num_frames * rng.uniform(0.3, 0.5), shortest)
    lengths: list[int] = []
    while True:
        length = int(rng.integers(shortest, longest + 1))
        left = int(budget) - sum(lengths)
        # A video has one action at least, however little time there is.
        length = length if lengths else min(length, left)
        if length > left:
            break
        lengths.append(length)
    spare = num_frames - sum(lengths) - gap * (len(lengths) - 1)
    cuts = np.sort(rng.integers(0, spare + 1, len(lengths)))
    times, before = [], 0
    for number, (length, cut) in enumerate(zip(lengths, cuts, strict=True)):
        start = int(cut) + before + number * gap
        times.append((start, start + length))
        before += length
    return times


@dataclass(frozen=True)
class _Wanderer:
    """A shape that moves about without aim: each coordinate is a sum of waves."""

    shape: Image.Image
    radius: float
    rates: np.ndarray  # (3 waves, x, y and angle), radians a second
    phases: np.ndarray

    def pose(self, seconds: float) -> Pose:
        x, y, angle = np.sin(self.rates * seconds + self.phases).mean(axis=0)
        return Pose(0.5 + 0.6 * x, 0.5 + 0.6 * y, self.radius, 3 * angle)


def _film(
    rng: np.random.Generator, plan: list[tuple], num_frames: int, fps: int, size: int
) -> Iterator[np.ndarray]:
    ground, striking = contrasting_colours(rng)
    texture = Image.fromarray(draw_texture(rng, ground, spread=rng.uniform(10, 35)))
    stage = texture.resize((2 * size, 2 * size), Image.Resampling.BICUBIC)
    wanderers = [_draw_wanderer(rng, ground) for _ in range(rng.integers(1, 4))]
    actions = [
        (start, end, _shrunk(draw_shape(rng, striking), size), _draw_crossing(rng, label))
        for label, start, end in plan
    ]
    drift_rates, drift_phases = rng.uniform(0.05, 0.2, (2, 2)), rng.uniform(0, 6, (2, 2))
    flicker, strength = rng.normal(1, 0.01, num_frames), int(rng.integers(1, 5))
    for number in range(num_frames):
        now = number / fps
        x, y = size * (0.5 + _DRIFT * np.sin(drift_rates * now + drift_phases).sum(axis=0))
        picture = stage.transform(
            (size, size),
            Image.Transform.AFFINE,
            (1, 0, x, 0, 1, y),
            Image.Resampling.BILINEAR,
        )
        for wanderer in wanderers:
            stamp(picture, wanderer.shape, wanderer.pose(now))
        for start, end, shape, (first, last) in actions:
            if start <= now < end:
                stamp(picture, shape, pose_between(first, last, (now - start) / (end - start)))
        noise = rng.integers(-strength, strength + 1, (size, size, 3), dtype="int8")
        frame = np.asarray(picture) * np.float32(flicker[number]) + noise
        yield np.clip(frame, 0, 255).astype("uint8")


def _draw_wanderer(rng: np.random.Generator, ground: np.ndarray) -> _Wanderer:
    colour = 0.4 * ground + 0.6 * rng.uniform(20, 235, 3)
    return _Wanderer(
        shape=draw_shape(rng, colour).reduce(2),
        radius=rng.uniform(0.06, 0.11),
        rates=rng.uniform(0.2, 1.2, (3, 3)) * rng.choice([-1, 1], (3, 3)),
        phases=rng.uniform(0, 2 * np.pi, (3, 3)),
    )


def _draw_crossing(rng: np.random.Generator, label: str) -> tuple[Pose, Pose]:
    """From one side to the opposite one; at both ends half of the shape is in the picture."""
    radius = rng.uniform(0.16, 0.24)
    side, slant = rng.uniform(radius, 1 - radius), rng.uniform(-0.05, 0.05)
    angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    ends = [(1.0, side - slant), (0.0, side + slant)]
    if label == "moving right":
        ends.reverse()
    elif label != "moving left":
        ends = [(y, x) for x, y in ends]
    first, last = ends
    return Pose(*first, radius, angle), Pose(*last, radius, angle + turn)


def _shrunk(shape: Image.Image, size: int) -> Image.Image:
    """The shape near the size that it is shown in: scaling down in one step would flicker."""
    return shape.reduce(max(1, int(SPRITE_SIDE / (0.4 * size))))
