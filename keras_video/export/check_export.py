"""`check_export`: an exported model and its original, side by side on videos."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from keras_video.export.verification import installed_runtimes
from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.predictor import Predictor
from keras_video.models.classify_videos import check_positive

# Of each video the shortest of so many runs counts, after one that is not timed.
_RUNS = 3


@dataclass(frozen=True)
class ExportCheck:
    """What two models say of a video.

    Attributes:
        video: as it was given.
        runtime: what ran the exported model.
        original: the original's best classes, as `classify` returns them.
        exported: the exported model's.
        difference: the largest of the differences between their probabilities.
        original_ms: the original's time for the views of the video, in milliseconds: the network
            alone, the shortest of three.
        exported_ms: the same of the exported model; with preprocessing, if that is in its graph.
    """

    video: str
    runtime: str
    original: list[dict]
    exported: list[dict]
    difference: float
    original_ms: float
    exported_ms: float

    @property
    def same_best(self) -> bool:
        """Whether the best class is the same."""
        return self.original[0]["class_id"] == self.exported[0]["class_id"]

    def to_dict(self) -> dict:
        """For JSON."""
        return {**asdict(self), "same_best": self.same_best}


def check_export(
    directory: str | os.PathLike,
    videos: Iterable,
    original=None,
    top_k: int = 5,
    errors: str = "raise",
) -> list:
    """Compares an exported classifier with its original, on videos, in every runtime installed.

    Args:
        directory: what `export_model` wrote.
        videos: paths, or decoded frames `(time, height, width, 3)`.
        original: the Keras model or preset; `None` for the preset that the directory names.
        top_k: how many classes to show. Defaults to 5.
        errors: `"raise"` (default), or `"return"` to put the exception of a video that cannot be
            decoded in the place of its checks and go on with the others.

    Returns:
        A list of `ExportCheck`, one for each video and runtime.

    Raises:
        ValueError: the directory holds no exported classifier, or its original is not known.
        keras_video.data.VideoDecodeError: a video cannot be decoded.

    Example:

    >>> for check in keras_video.export.check_export("exported/pp_tsm", ["clip.mp4"]):
    ...     print(check.runtime, check.same_best, f"{check.difference:.0e}")
    onnxruntime True 2e-07
    """
    check_positive(top_k=top_k)
    described = ExportedModel.read(directory)
    if original is None and described.preset is None:
        raise ValueError(
            "The directory does not say which preset it was made of: give the original. "
            f"Received: {os.fspath(directory)!r} with original=None"
        )
    ours = Predictor(described.preset if original is None else original)
    theirs = [Predictor(directory, runtime) for runtime in installed_runtimes(described.format)]
    checks: list = []
    for video in videos:
        try:
            expected, original_ms = _timed_scores(ours, video)
            for predictor in theirs:
                scores, exported_ms = _timed_scores(predictor, video)
                check = ExportCheck(
                    video=_name(video),
                    runtime=predictor.runtime.name,
                    original=ours.best(expected, top_k),
                    exported=predictor.best(scores, top_k),
                    difference=float(np.abs(scores - expected).max()),
                    original_ms=original_ms,
                    exported_ms=exported_ms,
                )
                checks.append(check)
        except (ValueError, OSError) as error:
            if errors == "raise":
                raise
            checks.append(error)
    return checks


def _timed_scores(predictor: Predictor, video) -> tuple[np.ndarray, float]:
    views = predictor.preprocess(video)
    scores = predictor.scores(views)
    return scores, 1000 * min(_seconds(predictor.scores, views) for _ in range(_RUNS))


def _seconds(function: Callable, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def _name(video) -> str:
    return os.fspath(video) if isinstance(video, str | os.PathLike) else "frames"
