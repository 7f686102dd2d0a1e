"""The training data of an `ActionLocalizer`'s stages, made from tracks and annotated actions."""

from collections.abc import Sequence

import numpy as np

from keras_video.applications.action_localizer import pad_parts
from keras_video.applications.video_tracks import VideoTracks, seconds_of
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.bmn_labels import pad_segments
from keras_video.localization.temporal_iou import temporal_ioa, temporal_iou
from keras_video.localization.windows import plan_windows, take_window

# Part of an action that a window must show, to count as an action of the window.
_SHOWN = 0.5
# Overlap from which on a segment is of the action's class.
_OF_CLASS = 0.3


def times_of(video: AnnotatedVideo) -> np.ndarray:
    """Starts and ends of the actions, `(actions, 2)`, in seconds."""
    times = [(action.start, action.end) for action in video.actions]
    return np.asarray(times, "float64").reshape(-1, 2)


class Windows(Sequence):
    """The windows of many videos, one array `(window, channels)` each, cut when it is asked for.

    Args:
        tracks: of the videos.
        videos: the same videos' actions.
        window: steps.
        stride: steps from one window to the next.

    Attributes:
        segments: of each window, the actions as parts of it, `(windows, most actions, 2)`; NaN
            where there are fewer.
    """

    def __init__(
        self,
        tracks: Sequence[VideoTracks],
        videos: Sequence[AnnotatedVideo],
        window: int,
        stride: int,
    ):
        self._tracks, self._window, self._places = tracks, window, []
        segments = []
        for number, (track, video) in enumerate(zip(tracks, videos, strict=True)):
            times = times_of(video) * track.fps
            for first in plan_windows(len(track.image), window, stride):
                shown = temporal_ioa(times, np.array([[first, first + window]]))[:, 0]
                inside = (times[shown >= _SHOWN] - first) / window
                self._places.append((number, first))
                segments.append(np.clip(inside, 0, 1))
        self.segments = pad_segments(segments)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> np.ndarray:
        number, first = self._places[index]
        return take_window(self._tracks[number].steps, first, self._window)


class Segments:
    """Segments of many videos, to be classified.

    Args:
        tracks: of the videos.
        places: of each segment: the video's number, start and end in seconds, class, overlap.
        lengths: steps of each modality that segments are cut or padded to.
    """

    def __init__(self, tracks: Sequence[VideoTracks], places: list[tuple], lengths: dict[str, int]):
        self._tracks, self._places, self._lengths = tracks, places, lengths
        self.labels = {
            "classes": np.array([place[3] for place in places], "int64"),
            "iou": np.array([[place[4]] for place in places], "float32"),
        }

    def inputs(self) -> dict[str, "_Part"]:
        """What `ArrayDataset` takes: of each modality its features, and their mask."""
        names = [key for name in self._lengths for key in (name, f"{name}_mask")]
        return {name: _Part(self, name) for name in names}

    def __len__(self) -> int:
        return len(self._places)

    def part(self, index: int, name: str) -> np.ndarray:
        """A modality of a segment, or its mask."""
        number, start, end, _, _ = self._places[index]
        modality = name.removesuffix("_mask")
        features = self._tracks[number].segment(start, end)[modality]
        return pad_parts([{modality: features}], self._lengths[modality])[name][0]


class _Part(Sequence):
    def __init__(self, segments: Segments, name: str):
        self._segments, self._name = segments, name

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._segments.part(index, self._name)


def choose_segments(
    tracks: Sequence[VideoTracks],
    videos: Sequence[AnnotatedVideo],
    proposals: Sequence[np.ndarray],
    labels: Sequence[str],
    seed: int,
) -> list[tuple]:
    """What to train a classifier on: actions, moved a little; proposals; and background.

    A segment is of the class of the action that it overlaps most, if their IoU is at least 0.3;
    otherwise it is background. Of background there is at most three times as much as of actions.

    Args:
        tracks: of the videos.
        videos: the same videos' actions.
        proposals: of each video, in seconds, `(proposals, 2)`.
        labels: of the classes, without the background.
        seed: of what is drawn.

    Returns:
        Places for `Segments`.
    """
    rng = np.random.default_rng(seed)
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    actions, background = [], []
    for number, (track, video, proposed) in enumerate(zip(tracks, videos, proposals, strict=True)):
        times = times_of(video)
        lengths = np.diff(times, axis=1)
        moved = [times + rng.uniform(-0.2, 0.2, times.shape) * lengths for _ in range(4)]
        elsewhere = _drawn(rng, track.duration, lengths, count=2 * len(times) + 4)
        segments = np.concatenate([times, *moved, proposed, elsewhere])
        segments = np.clip(segments, 0, track.duration)
        segments = segments[segments[:, 1] - segments[:, 0] > 0.2]
        overlaps = temporal_iou(segments, times)
        for segment, overlap in zip(segments, overlaps, strict=True):
            best = int(overlap.argmax()) if len(overlap) else -1
            iou = float(overlap[best]) if len(overlap) else 0.0
            if iou >= _OF_CLASS:
                label = numbers[video.actions[best].label]
                actions.append((number, *segment, label, iou))
            else:
                background.append((number, *segment, 0, iou))
    most = max(3 * len(actions), 1)
    if len(background) > most:
        kept = rng.permutation(len(background))[:most]
        background = [background[i] for i in sorted(kept)]
    return actions + background


def _drawn(rng, duration: float, lengths: np.ndarray, count: int) -> np.ndarray:
    """Segments anywhere, as long as actions are."""
    lengths = rng.choice(lengths.ravel(), count) if lengths.size else np.full(count, duration / 10)
    starts = rng.uniform(0, np.maximum(duration - lengths, 0.1))
    return np.stack([starts, starts + lengths], axis=1)


def label_seconds(
    tracks: Sequence[VideoTracks], videos: Sequence[AnnotatedVideo], labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """All seconds of the sound, `(seconds, 50, 64)`, and the class of what happens then, or 0."""
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    examples, classes = [], []
    for track, video in zip(tracks, videos, strict=True):
        seconds = seconds_of(track.spectrum, track.fps)
        starts = np.arange(len(seconds), dtype="float64")
        shares = temporal_ioa(np.stack([starts, starts + 1], axis=1), times_of(video))
        of_actions = np.array([0, *(numbers[action.label] for action in video.actions)])
        best = np.zeros(len(starts), int)
        if video.actions:
            best = np.where(shares.max(axis=1) > 0.5, shares.argmax(axis=1) + 1, 0)
        examples.append(seconds)
        classes.append(of_actions[best])
    return np.concatenate(examples), np.concatenate(classes)
