"""`read_all_tracks`: the features of annotated videos, from disk or made now."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_video.applications.video_tracks import VideoTracks, spectrum_of
from keras_video.localization.annotated_video import AnnotatedVideo


def read_all_tracks(
    splits: Mapping[str, Sequence[AnnotatedVideo]],
    extractor,
    out: Path,
    root: str | os.PathLike,
    fps: float,
    sound: bool,
    progress: Callable | None = None,
) -> dict[str, list[VideoTracks]]:
    """Features and spectrograms of all videos, which are kept in `features/` and `spectra/`.

    Args:
        splits: the videos by split.
        extractor: a model.
        out: the folder of those folders.
        root: where paths of videos start from.
        fps: steps a second.
        sound: whether there are spectrograms.
        progress: see `keras_video.features.extract_features`.

    Raises:
        keras_video.data.VideoDecodeError: a video cannot be read.
        ValueError: an action ends after its video.
    """
    from keras_video.data import VideoDecodeError, VideoList
    from keras_video.features import FeatureExtractor, FeatureIndex, extract_features
    from keras_video.features.listed_videos import list_videos

    sources = {
        video.video: os.path.join(os.path.expanduser(root), video.video)
        for videos in splits.values()
        for video in videos
    }
    listed = VideoList(list(sources.values()))
    features = FeatureExtractor(extractor, fps=fps)
    report = extract_features(listed, features, out / "features", progress=progress)
    if report.failures:
        failure = report.failures[0]
        raise VideoDecodeError(failure["path"], failure["error"])
    names = {video.source: video.name for video in list_videos(listed)}
    index = FeatureIndex(out / "features")
    tracks = {}
    for split, videos in splits.items():
        tracks[split] = []
        for video in videos:
            source = sources[video.video]
            entry = index[names[source]]
            _check_end(video, entry.duration)
            spectrum = None
            if sound:
                path = out / "spectra" / Path(entry.path).relative_to(out / "features")
                spectrum = _spectrum(source, path, fps, entry.steps)
            tracks[split].append(
                VideoTracks(entry.features, spectrum, None, fps, float(entry.duration))
            )
    return tracks


def _spectrum(source: str, path: Path, fps: float, steps: int) -> np.ndarray:
    from keras_video.data.whole_file import whole_file

    try:
        fresh = path.stat().st_mtime >= os.path.getmtime(source)
        spectrum = np.load(path, mmap_mode="r", allow_pickle=False) if fresh else None
    except (OSError, ValueError):
        spectrum = None
    if spectrum is None or len(spectrum) != steps:
        spectrum = spectrum_of(source, fps, steps)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            np.save(file, spectrum)
    return spectrum


def _check_end(video: AnnotatedVideo, duration: float) -> None:
    for action in video.actions:
        # Lists round, and containers differ by a frame or two.
        if action.end > duration + 1:
            raise ValueError(
                f"{video.video}: an action ends after the video, which has {duration:.1f} s. "
                f"Received: {action}"
            )
