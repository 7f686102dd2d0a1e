"""Rendered clips with several tags each: what to try multi-label training on."""

import csv
import os
from pathlib import Path

import numpy as np

from keras_video.data.motion_clips import MOTION_CLASSES, render_motion_clip
from keras_video.data.parallel_map import parallel_map
from keras_video.data.video_writer import write_video

TAG_COLORS = {
    "red": (225, 30, 30),
    "green": (30, 185, 50),
    "blue": (40, 60, 235),
    "yellow": (235, 215, 30),
}
_FPS = 25
_TINT = 0.5  # share of the colour in every pixel


def render_tagged_clip(
    seed: int, num_frames: int = 48, size: int = 112
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Renders two movements, one after the other, in the light of one colour.

    Each half is a scene of `render_motion_clip`; the movements differ. The three tags can only be
    told by a model that sees order within the halves and colour in all of them.

    Args:
        seed: non-negative integer: the same seed gives the same clip and tags.
        num_frames: frames of the clip, at least 4.
        size: height and width in pixels, at least 16.

    Returns:
        A `uint8` RGB array `(num_frames, size, size, 3)`, and the tags: two of `MOTION_CLASSES` and
        one of `TAG_COLORS`, in the order of those lists.

    Raises:
        ValueError: a negative seed, too few frames or pixels.

    Example:

    >>> clip, tags = render_tagged_clip(seed=7)
    >>> clip.shape, len(tags)
    ((48, 112, 112, 3), 3)
    """
    if seed < 0 or num_frames < 4:
        raise ValueError(
            "A tagged clip needs a seed from 0 and at least 4 frames. "
            f"Received: seed={seed}, num_frames={num_frames}"
        )
    rng = np.random.default_rng([seed, 3396])
    first, second = rng.choice(len(MOTION_CLASSES), 2, replace=False)
    color = list(TAG_COLORS)[rng.integers(len(TAG_COLORS))]
    half = num_frames // 2
    scenes = [
        render_motion_clip(MOTION_CLASSES[motion], 2 * seed + part, frames, size)
        for part, (motion, frames) in enumerate(((first, half), (second, num_frames - half)))
    ]
    tint = _TINT * np.array(TAG_COLORS[color], "float32")
    clip = np.rint((1 - _TINT) * np.concatenate(scenes) + tint).astype("uint8")
    motions = [name for number, name in enumerate(MOTION_CLASSES) if number in (first, second)]
    return clip, (*motions, color)


def write_tagged_videos(
    directory: str | os.PathLike,
    num_videos: int = 400,
    seed: int = 0,
    test_fraction: float = 0.25,
    num_frames: int = 48,
    size: int = 112,
    workers: int | None = None,
) -> Path:
    """Writes tagged clips as H.264 videos, and a `tags.csv` with the columns video, tags, split.

    Args:
        directory: where to write; made if it is not there.
        num_videos: number of videos, at least 2.
        seed: which clips.
        test_fraction: share of the videos, the last ones, whose split is `test`; the others' is
            `train`.
        num_frames: frames of a video, at 25 a second.
        size: height and width in pixels.
        workers: threads, by default one for each core.

    Returns:
        The path of `tags.csv`.

    Example:

    >>> write_tagged_videos("tagged", num_videos=400)
    PosixPath('tagged/tags.csv')
    """
    if num_videos < 2 or not 0 <= test_fraction < 1:
        raise ValueError(
            "At least 2 videos are written, and a share from 0 to less than 1 is for the test. "
            f"Received: num_videos={num_videos}, test_fraction={test_fraction}"
        )
    directory = Path(directory)
    (directory / "videos").mkdir(parents=True, exist_ok=True)

    def write(index: int) -> tuple[str, str]:
        clip, tags = render_tagged_clip(seed * 1_000_000 + index, num_frames, size)
        name = f"videos/{index:04d}.mp4"
        write_video(directory / name, clip, fps=_FPS)
        return name, "|".join(tags)

    rows = parallel_map(write, range(num_videos), workers)
    first_test = num_videos - round(test_fraction * num_videos)
    path = directory / "tags.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "tags", "split"))
        for index, row in enumerate(rows):
            writer.writerow((*row, "train" if index < first_test else "test"))
    return path
