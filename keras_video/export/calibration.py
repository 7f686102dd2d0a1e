"""`calibration_samples`: what a network will meet, for int8 to be fitted to."""

import warnings
from collections.abc import Iterable, Sized

import keras
import numpy as np

from keras_video.inference.keras_runtime import named_inputs
from keras_video.models.classify_videos import check_positive


class CalibrationWarning(UserWarning):
    """Some of the videos for a calibration cannot be read."""


def calibration_samples(
    model: keras.Model, videos: Iterable, num_clips: int = 128
) -> list[dict[str, np.ndarray]]:
    """Clips of videos, as inputs of a model.

    Quantisation measures on them how large the values of each layer become. A hundred clips that
    look like those of later are enough; labels are not needed. Every video gives as few of its
    views as reach the number of clips, evenly spaced.

    Args:
        model: a model of clips with a preprocessor, such as every preset has.
        videos: paths, `bytes`, binary files or decoded frames. No more are read than are needed.
        num_clips: at most so many clips, all of which are in memory. Defaults to 128.

    Returns:
        A list of `{input: clip}`, each clip `(1, num_frames, height, width, 3)`, uint8.

    Warns:
        CalibrationWarning: videos cannot be read; it names them and the causes.

    Raises:
        ValueError: no video can be read, or the model takes no clips.

    Example:

    >>> model = keras_video.models.PPTSM.from_preset("pp_tsm_k400")
    >>> samples = calibration_samples(model, sorted(Path("videos").glob("*.mp4")))
    """
    check_positive(num_clips=num_clips)
    inputs = named_inputs(model)
    preprocessor = getattr(model, "preprocessor", None)
    if preprocessor is None or len(inputs) != 1:
        raise ValueError(
            "Calibration makes clips of videos with the model's preprocessor, and the model has "
            "none; set `model.preprocessor`, or give samples as arrays. "
            f"Received: inputs={sorted(inputs)}, preprocessor={preprocessor!r}"
        )
    (name,) = inputs
    number = len(videos) if isinstance(videos, Sized) else num_clips
    views_of_video = -(-num_clips // max(number, 1))
    samples, failures = [], []
    for video in videos:
        try:
            views = preprocessor(video)
        except (ValueError, OSError) as error:
            failures.append(str(error))
            continue
        chosen = np.linspace(0, len(views) - 1, min(views_of_video, len(views)) * 2 + 1)
        for view in np.rint(chosen[1::2]).astype(int):
            samples.append({name: np.ascontiguousarray(views[view : view + 1])})
        if len(samples) >= num_clips:
            break
    if failures and samples:
        warnings.warn(
            f"{len(failures)} videos cannot be read and are not used: {'; '.join(failures)}",
            CalibrationWarning,
            stacklevel=2,
        )
    if not samples:
        causes = f": {'; '.join(failures)}" if failures else ""
        raise ValueError(
            "Calibration needs videos that can be read. "
            f"Received: {len(failures)} that cannot{causes}"
        )
    return samples[:num_clips]


def no_samples() -> ValueError:
    """The error of quantisation without any."""
    return ValueError(
        "int8 needs samples of what the network will meet, to know how large its values become. "
        "Received: no samples"
    )
