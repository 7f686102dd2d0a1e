"""The demo: writes real videos, recognises them with the bundled preset, shows what it saw."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_video.data.motion_clips import MOTION_CLASSES, render_motion_clip
from keras_video.data.video_writer import write_video

DEMO_PRESET = "tsm_tiny_motion"
ANNOTATED_NAME = "annotated.mp4"

# Scenes of the demo never meet those of the recipe, whose seeds stay below.
_FIRST_SEED = 2**32
_FPS = 25
_PAGE = 8
_RIGHT, _WRONG = (94, 201, 122), (242, 104, 92)


@dataclasses.dataclass(frozen=True)
class DemoClip:
    """A video of the demo, what it shows, and what the model said (best first)."""

    path: Path
    label: str
    predictions: tuple[dict, ...] = ()

    @property
    def is_right(self) -> bool:
        return bool(self.predictions) and self.predictions[0]["label"] == self.label


def write_demo_clips(
    directory: str | os.PathLike,
    num_clips: int = 8,
    seed: int = 0,
    num_frames: int = 50,
    size: int = 192,
) -> list[DemoClip]:
    """Renders clips of the motion classes in turn and writes them as H.264 videos.

    Args:
        directory: where to write; made if it is not there.
        num_clips: number of videos, at least 1.
        seed: which scenes; none of them is among the scenes that the preset was trained on.
        num_frames: frames of a video, at 25 a second.
        size: height and width in pixels.

    Returns:
        The clips, without predictions.
    """
    if num_clips < 1 or seed < 0:
        raise ValueError(
            "The demo needs at least one clip and a seed that is not negative. "
            f"Received: num_clips={num_clips}, seed={seed}"
        )
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    clips = []
    for index in range(num_clips):
        label = MOTION_CLASSES[index % len(MOTION_CLASSES)]
        path = directory / f"{index:02d}_{label.replace(' ', '_')}.mp4"
        scene = _FIRST_SEED * (seed + 1) + index
        write_video(path, render_motion_clip(label, scene, num_frames, size), fps=_FPS)
        clips.append(DemoClip(path, label))
    return clips


def recognize_clips(model, clips: Sequence[DemoClip], top_k: int = 3) -> list[DemoClip]:
    """Returns the clips with the predictions of a model."""
    results = model.classify([clip.path for clip in clips], top_k=top_k)
    return [
        dataclasses.replace(clip, predictions=tuple(predictions))
        for clip, predictions in zip(clips, results, strict=True)
    ]


def write_annotated_video(path: str | os.PathLike, clips: Sequence[DemoClip]) -> int:
    """Writes one video that shows the clips with their predictions, eight at a time.

    Returns:
        The number of frames.
    """
    return write_video(path, _annotated_frames(clips), fps=_FPS)


def _annotated_frames(clips: Sequence[DemoClip]) -> Iterator[np.ndarray]:
    from keras_video.data import open_video
    from keras_video.visualization import annotate, tile

    columns = min(4, len(clips))
    rows = -(-min(_PAGE, len(clips)) // columns)
    for first in range(0, len(clips), columns * rows):
        page = []
        for clip in clips[first : first + columns * rows]:
            with open_video(clip.path) as video:
                frames = video.get_frames(range(len(video)))
            accent = _RIGHT if clip.is_right else _WRONG
            title = f"true: {clip.label}"
            page.append(annotate(frames, clip.predictions, title, accent, min_side=240))
        # An incomplete last page keeps the size of the others.
        page += [np.zeros_like(page[0])] * (columns * rows - len(page))
        yield from tile(page, columns, gap=8)
