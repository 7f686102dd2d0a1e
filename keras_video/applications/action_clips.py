"""`write_action_clips`: annotated actions as short videos, to train a network for pictures on."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_video.applications.action_localizer import BACKGROUND
from keras_video.localization.annotated_video import AnnotatedVideo

# Background clips in a gap between two actions, and the shortest ones, in seconds.
_IN_A_GAP, _SHORTEST = 2, 1.0
_FRAMES_AT_ONCE = 32
# Many key frames: training takes frames from anywhere.
_OPTIONS = {"g": "12", "crf": "20"}


def write_action_clips(
    videos: Sequence[AnnotatedVideo],
    out: str | os.PathLike,
    *,
    root: str | os.PathLike = ".",
    short_side: int | None = 256,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Path]:
    """Cuts the actions out of long videos, and as many pieces of background between them.

    The extractor of an `ActionLocalizer` may be any preset; one that was trained on such clips
    knows what to look for. As in FootballAction, background is at most two pieces of each gap, as
    long as the action before it.

    Args:
        videos: with their actions and splits, such as `localization.read_actions` reads.
        out: the folder, for `train/goal/0001.mp4` and so on, and a list of each split,
            `train.list`, with `labels.txt`: what `recipes/finetune.py` reads.
        root: the folder that paths of videos start from.
        short_side: larger frames are made so small; `None` keeps them. Defaults to 256.
        seed: of the places of background.
        progress: called after each video with the numbers of videos done and in total.

    Returns:
        The list of each split that has clips.

    Raises:
        ValueError: there are no actions.
        keras_video.data.VideoDecodeError: a video cannot be read.

    Example:

    >>> videos = keras_video.localization.read_actions("match/actions.json")
    >>> write_action_clips(videos, "clips", root="match")
    {'train': PosixPath('clips/train.list'), 'val': PosixPath('clips/val.list')}
    """
    from keras_video.data import VideoList, VideoRecord

    labels = sorted({action.label for video in videos for action in video.actions})
    if not labels:
        raise ValueError(
            f"There must be actions to cut out. Received: {len(videos)} videos without any"
        )
    labels = [BACKGROUND, *labels]
    out, rng = Path(out).expanduser(), np.random.default_rng(seed)
    records: dict[str, list] = {}
    for done, video in enumerate(videos, start=1):
        source = os.path.join(os.path.expanduser(root), video.video)
        for start, end, label in _pieces(video, rng):
            of_split = records.setdefault(video.split, [])
            folder = f"{labels.index(label):02d}"
            path = out / video.split / folder / f"{len(of_split):05d}.mp4"
            frames = _cut(source, path, start, end, short_side)
            of_split.append(VideoRecord(str(path), labels.index(label), frames))
        if progress is not None:
            progress(done, len(videos))
    lists = {}
    for split, of_split in records.items():
        lists[split] = out / f"{split}.list"
        VideoList(of_split, labels).write(lists[split])
    return lists


def _pieces(video: AnnotatedVideo, rng) -> Iterator[tuple[float, float, str]]:
    """Starts, ends and classes of what to cut out of a video."""
    actions = sorted(video.actions, key=lambda action: action.start)
    for number, action in enumerate(actions):
        yield action.start, action.end, action.label
        following = actions[number + 1].start if number + 1 < len(actions) else video.duration
        if following is None:
            continue
        length = min(action.end - action.start, following - action.end)
        for _ in range(_IN_A_GAP if length >= _SHORTEST else 0):
            start = rng.uniform(action.end, following - length)
            yield start, start + length, BACKGROUND


def _cut(source: str, path: Path, start: float, end: float, short_side: int | None) -> int:
    from keras_video.data import VideoDecodeError, open_video, write_video
    from keras_video.data.resizing import resize_short_side

    def shrink(frame: np.ndarray) -> np.ndarray:
        larger = short_side is not None and min(frame.shape[:2]) > short_side
        return resize_short_side(frame, short_side) if larger else frame

    path.parent.mkdir(parents=True, exist_ok=True)
    with open_video(source) as video:
        times = video.timestamps - video.timestamps[0]
        chosen = np.flatnonzero((times >= start) & (times < end))
        if not len(chosen):
            raise VideoDecodeError(
                source,
                f"it has no frames from {start:.1f} to {end:.1f} s, where an action should be",
            )
        frames = (
            frame
            for first in range(0, len(chosen), _FRAMES_AT_ONCE)
            for frame in video.get_frames(chosen[first : first + _FRAMES_AT_ONCE], shrink)
        )
        return write_video(path, frames, video.fps, options=_OPTIONS)
