"""`make_bmn_dataset`: stored features of annotated videos, as batches for a boundary network."""

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_video.data.array_dataset import ArrayDataset
from keras_video.data.feature_read_error import FeatureNotFoundError, FeatureReadError
from keras_video.localization.action_list_error import ActionListWarning
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.bmn_labels import BMNLabels, pad_segments
from keras_video.localization.propose import resize_features
from keras_video.presets.errors import one_line


def make_bmn_dataset(
    videos: Iterable[AnnotatedVideo],
    folder: str | os.PathLike,
    *,
    feature_dim: int = 400,
    num_frames: int = 100,
    max_duration: int | None = None,
    layout: str = "duration_start",
    missing: str = "error",
    **options,
) -> "VideoSegmentsDataset":
    """Batches `({"features"}, {"starts", "ends", "confidence"})` of whole videos, to train a `BMN`.

    Files are read when their batch is made, `workers` at a time. Labels are those of
    `make_bmn_labels`, with new random numbers each epoch.

    Args:
        videos: with their durations, such as `read_activitynet` gives.
        folder: has a file `VIDEO.npy` of each, `(steps, feature_dim)`, evenly over the video; other
            numbers of steps than `num_frames` are interpolated. ActivityNet's ids are found with
            and without `v_`.
        feature_dim: channels. Defaults to 400, as `BMN`; so do the next three.
        num_frames: steps of the model.
        max_duration: rows of the model's map.
        layout: of the map.
        missing: videos without a file are an `"error"` (default), or left out, with a warning that
            has their number: `"skip"`.
        **options: of `ArrayDataset`: `batch_size`, `training`, `seed`, `workers` and so on.

    Returns:
        An `ArrayDataset` whose attribute `videos` has the videos in the order of its records, for
        `training.ProposalEvaluator`.

    Raises:
        FeatureNotFoundError: there is no such folder, or no file for some video.
        ValueError: no videos, or one without a duration.
        FeatureReadError: when batches are made: a file is no array, of another shape, or has
            numbers that are not finite.

    Example:

    >>> videos = read_activitynet("activitynet_1.3_annotations.json", split="train")
    >>> data = make_bmn_dataset(videos, "fix_feat_100", batch_size=16, training=True)
    >>> inputs, labels = data.batch(0)
    >>> inputs["features"].shape, labels["confidence"].shape
    ((16, 100, 400), (16, 100, 100, 2))
    """
    videos = list(videos)
    if missing not in ("error", "skip"):
        raise ValueError(f"`missing` is error or skip. Received: missing={missing!r}")
    if not videos:
        raise ValueError("A data set needs videos. Received: none")
    for video in videos:
        if not isinstance(video, AnnotatedVideo):
            raise ValueError(f"`videos` are AnnotatedVideos. Received: {video!r:.100}")
        if video.duration is None:
            raise ValueError(
                "Labels are made in parts of a video, so each needs a duration in seconds. "
                f"Received: {video.video!r} without one"
            )
    videos, paths = _with_files(videos, Path(folder), missing)
    features = FeatureFiles(paths, num_frames, feature_dim)
    return VideoSegmentsDataset(
        videos,
        {"features": features},
        pad_segments([parts_of(video) for video in videos]),
        transforms=[BMNLabels(num_frames, max_duration, layout)],
        **options,
    )


class VideoSegmentsDataset(ArrayDataset):
    """An `ArrayDataset` of annotated videos, in `videos`."""

    def __init__(self, videos: Sequence[AnnotatedVideo], *args, **kwargs):
        self.videos = tuple(videos)
        super().__init__(*args, **kwargs)


class FeatureFiles(Sequence):
    """Features in files, read when they are asked for: float32 `(num_frames, feature_dim)`."""

    def __init__(self, paths: Sequence[Path], num_frames: int, feature_dim: int):
        self.paths, self.num_frames, self.feature_dim = list(paths), num_frames, feature_dim

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        path = self.paths[index]
        try:
            features = np.load(path, allow_pickle=False)
            if not isinstance(features, np.ndarray) or features.dtype.kind not in "fiu":
                raise ValueError("there is no array of numbers in it")
            return resize_features(features, self.num_frames, self.feature_dim)
        except FileNotFoundError:
            raise FeatureNotFoundError(str(path), "there is no such file any more") from None
        except (OSError, ValueError, EOFError) as error:
            raise FeatureReadError(str(path), one_line(error)) from error


def parts_of(video: AnnotatedVideo) -> list[tuple[float, float]]:
    """The actions of a video in parts of it."""
    return [(a.start / video.duration, a.end / video.duration) for a in video.actions]


def _with_files(videos: list, folder: Path, missing: str) -> tuple[list, list[Path]]:
    """The videos that have files, and these."""
    if not folder.is_dir():
        raise FeatureNotFoundError(str(folder), "there is no such folder of features")
    known = {name for name in os.listdir(folder) if name.endswith(".npy")}
    found, paths, absent = [], [], []
    for video in videos:
        name = video.video
        other = name.removeprefix("v_") if name.startswith("v_") else f"v_{name}"
        file = next((f"{n}.npy" for n in (name, other) if _is_there(f"{n}.npy", known, folder)), "")
        if file:
            found.append(video)
            paths.append(folder / file)
        else:
            absent.append(name)
    if absent and (missing == "error" or not found):
        advice = "" if missing == "skip" else '; leave them out with missing="skip"'
        raise FeatureNotFoundError(
            str(folder / f"{absent[0]}.npy"),
            f"{len(absent)} of {len(videos)} videos have no file of features in this folder, "
            f"this one is the first{advice}",
        )
    if absent:
        warnings.warn(
            f"{len(absent)} of {len(videos)} videos have no file of features in {folder}, and are "
            f"left out: {', '.join(absent[:3])}{', ...' if len(absent) > 3 else ''}",
            ActionListWarning,
            stacklevel=3,
        )
    return found, paths


def _is_there(file: str, known: set[str], folder: Path) -> bool:
    """Whether there is a file, perhaps in a folder below."""
    return file in known or (os.sep in file and (folder / file).is_file())
