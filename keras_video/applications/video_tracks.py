"""`VideoTracks`: what an `ActionLocalizer` knows of a video: features of pictures and of sound."""

import dataclasses
import os
import warnings
from collections.abc import Callable

import numpy as np

# Of a log-mel spectrogram, see `data.log_mel`.
MEL_STEPS_A_SECOND, MEL_BANDS = 50, 64
_EXAMPLES_AT_ONCE = 256


class NoSoundWarning(UserWarning):
    """A video without a sound track is treated as silent."""


@dataclasses.dataclass(frozen=True, eq=False)
class VideoTracks:
    """Features of a video, `fps` steps a second from its first frame on.

    Attributes:
        image: float32 `(steps, channels)`, of the pictures.
        spectrum: float32 `(steps, 64 * 50 / fps)`, the log-mel spectrogram cut into the same steps;
            or `None` where sound plays no role.
        sound: float32 `(seconds, channels)`, what a network makes of each second of the sound; or
            `None`.
        fps: steps a second.
        duration: of the video in seconds.
    """

    image: np.ndarray
    spectrum: np.ndarray | None
    sound: np.ndarray | None
    fps: float
    duration: float

    @property
    def steps(self) -> np.ndarray:
        """What proposals are made from: pictures and spectrum side by side."""
        if self.spectrum is None:
            return self.image
        return np.concatenate([self.image, self.spectrum], axis=1)

    def segment(self, start: float, end: float) -> dict[str, np.ndarray]:
        """What a segment is classified by: steps of each modality, at least one.

        Args:
            start: in seconds.
            end: in seconds.
        """
        parts = {"image": _cut(self.image, start * self.fps, end * self.fps)}
        if self.sound is not None:
            parts["sound"] = _cut(self.sound, start, end)
        elif self.spectrum is not None:
            parts["sound"] = _cut(self.spectrum, start * self.fps, end * self.fps)
        return parts


def _cut(track: np.ndarray, start: float, end: float) -> np.ndarray:
    first = min(max(int(np.floor(start + 1e-6)), 0), len(track) - 1)
    last = min(max(int(np.ceil(end - 1e-6)), first + 1), len(track))
    return np.asarray(track[first:last], "float32")


def spectrum_of(source, fps: float, num_steps: int) -> np.ndarray:
    """The log-mel spectrogram of a video's sound, `(num_steps, 64 * 50 / fps)`.

    A video without a sound track is silent, with a `NoSoundWarning`; so is what follows the end of
    a track.

    Raises:
        ValueError: 50 is no multiple of `fps`.
        keras_video.data.VideoDecodeError: the file cannot be read.
    """
    from keras_video.data import NoAudioTrackError, log_mel, read_audio

    rows = rows_of_step(fps)
    try:
        samples = read_audio(source)
    except NoAudioTrackError:
        name = source if isinstance(source, str | os.PathLike) else "the video"
        warnings.warn(f"{name} has no sound track: it is taken as silent", NoSoundWarning, 2)
        samples = np.zeros(0, "float32")
    needed = -(-num_steps * rows * 16000 // MEL_STEPS_A_SECOND)
    samples = np.pad(samples[:needed], (0, max(needed - len(samples), 0)))
    return log_mel(samples)[: num_steps * rows].reshape(num_steps, rows * MEL_BANDS)


def rows_of_step(fps: float) -> int:
    """Rows of the spectrogram in each step.

    Raises:
        ValueError: it is no whole number.
    """
    rows = MEL_STEPS_A_SECOND / fps if fps > 0 else 0
    if rows < 1 or rows != round(rows):
        raise ValueError(
            "With sound, `fps` must divide 50, the steps of a spectrogram in a second: 1, 2, 5, "
            f"10, ... Received: fps={fps}"
        )
    return round(rows)


def seconds_of(spectrum: np.ndarray, fps: float) -> np.ndarray:
    """The spectrum as examples of one second, `(seconds, 50, 64)`, filled up with its last step."""
    a_second = round(fps)
    missing = -len(spectrum) % a_second
    spectrum = np.pad(spectrum, ((0, missing), (0, 0)), mode="edge")
    return spectrum.reshape(-1, MEL_STEPS_A_SECOND, MEL_BANDS)


def sound_features(embed: Callable, spectrum: np.ndarray, fps: float) -> np.ndarray:
    """What a network makes of each second, `(seconds, channels)`.

    Args:
        embed: computes it of `(seconds, 50, 64)`.
        spectrum: `(steps, 64 * 50 / fps)`.
        fps: steps a second.
    """
    examples = seconds_of(spectrum, fps)
    parts = [
        np.asarray(embed(examples[first : first + _EXAMPLES_AT_ONCE]), "float32")
        for first in range(0, len(examples), _EXAMPLES_AT_ONCE)
    ]
    return np.concatenate(parts)
