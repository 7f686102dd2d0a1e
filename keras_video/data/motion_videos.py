"""Rendered short videos in a folder for each class: what to try a training on."""

import os
from pathlib import Path

from keras_video.data.motion_clips import MOTION_CLASSES, render_motion_clip
from keras_video.data.parallel_map import parallel_map
from keras_video.data.video_writer import write_video

# The bundled preset was trained and tested on seeds below this one.
_FIRST_SEED = 2_000_000
_VIDEOS_PER_SEED = 1_000_000


def write_motion_videos(
    folder: str | os.PathLike,
    num_videos: int = 160,
    seed: int = 0,
    pairs: bool = False,
    num_frames: int = 24,
    size: int = 112,
    workers: int | None = None,
) -> tuple[str, ...]:
    """Writes clips of `render_motion_clip` as H.264 videos, in a folder for each class.

    It is the form that `prepare_dataset` and `VideoDataset.from_folder` read. No clip is one that
    the bundled preset `tsm_tiny_motion` was trained or tested on.

    Args:
        folder: where to write; made if it is not there.
        num_videos: number of videos, of all classes in turn, at least one of each class.
        seed: which clips, from 0: two seeds have no clip in common.
        pairs: whether the two directions of a motion are one class: "sideways", "upright",
            "turning" and "zooming" instead of `MOTION_CLASSES`. No preset knows these classes.
        num_frames: frames of a video, at 25 a second, at least 2.
        size: height and width in pixels, at least 16.
        workers: threads, by default one for each core.

    Returns:
        The names of the classes.

    Raises:
        ValueError: a negative seed, too few or too many videos, too few frames or pixels.
        OSError: a file cannot be written.

    Example:

    >>> write_motion_videos("videos", num_videos=160, pairs=True)
    ('sideways', 'upright', 'turning', 'zooming')
    """
    names = ("sideways", "upright", "turning", "zooming") if pairs else MOTION_CLASSES
    if not len(MOTION_CLASSES) <= num_videos <= _VIDEOS_PER_SEED or seed < 0:
        raise ValueError(
            f"{len(MOTION_CLASSES)} to {_VIDEOS_PER_SEED} videos can be written, of a seed from 0. "
            f"Received: num_videos={num_videos}, seed={seed}"
        )
    folder = Path(folder)
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(num_videos - 1)))

    def write(index: int) -> None:
        motion = index % len(MOTION_CLASSES)
        name = names[motion // 2 if pairs else motion]
        scene = _FIRST_SEED + seed * _VIDEOS_PER_SEED + index
        clip = render_motion_clip(MOTION_CLASSES[motion], scene, num_frames, size)
        write_video(folder / name / f"{index:0{digits}}.mp4", clip)

    for _ in parallel_map(write, range(num_videos), workers):
        pass
    return names
