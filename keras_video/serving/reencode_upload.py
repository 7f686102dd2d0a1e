"""`ReencodeUpload`: a video of a stranger as a file of our own, with its sound."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_video.data.audio_track import NoAudioTrackError, read_audio
from keras_video.data.resizing import resize_short_side
from keras_video.data.video_writer import write_video
from keras_video.serving.limited_reader import LimitedReader, VideoLimits

_HIGHEST_RATE = 30.0
_SAMPLE_RATE = 16000
# Frames that are decoded in one go.
_BYTES_HELD = 64 * 2**20


class ReencodeUpload:
    """Decodes a video within limits and encodes it anew, frames at even distances in time.

    The result is H.264 with AAC that we wrote, so that an application may read it in a process
    without limits. Where sound plays a role, a video without sound is given silence.

    Args:
        limits: what a video may have.
        short_side: makes larger videos smaller, to so many pixels on the shorter side.
        with_sound: whether sound plays a role.
    """

    def __init__(self, limits: VideoLimits, short_side: int, with_sound: bool):
        self._limits = limits
        self._short_side, self._with_sound = short_side, with_sound

    def __call__(self, job: dict) -> Iterator[tuple[dict, None]]:
        """One message: what the video is."""
        target = Path(job["target"])
        try:
            with LimitedReader(job["path"], self._limits) as video:
                described = video.describe()
                rate = min(video.fps, _HIGHEST_RATE)
                sound = self._sound(job["path"], video.duration) if self._with_sound else None
                write_video(
                    target,
                    self._frames(video, rate),
                    fps=rate,
                    options={"crf": "18", "threads": "1"},
                    sound=sound,
                    sample_rate=_SAMPLE_RATE,
                )
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        yield {"video": described}, None

    def _frames(self, video: LimitedReader, rate: float) -> Iterator[np.ndarray]:
        """The frame that is on screen at 0, 1 / rate, 2 / rate, ... seconds."""
        times = video.timestamps - video.timestamps[0]
        count = max(1, math.ceil(video.duration * rate - 0.5))
        shown = np.searchsorted(times, np.arange(count) / rate + 0.5 / video.fps, "right") - 1
        pixels = min(self._short_side, video.height, video.width) ** 2 * 4
        step = max(1, _BYTES_HELD // (3 * pixels))
        for first in range(0, count, step):
            yield from video.get_frames(shown[first : first + step], transform=self._smaller)

    def _smaller(self, frame: np.ndarray) -> np.ndarray:
        if min(frame.shape[:2]) <= self._short_side:
            return frame
        return resize_short_side(frame, self._short_side)

    def _sound(self, path: str, seconds: float) -> np.ndarray:
        try:
            sound = read_audio(path, _SAMPLE_RATE)
        except NoAudioTrackError:
            sound = np.zeros(1, "float32")
        needed = max(1, round(seconds * _SAMPLE_RATE))
        return np.pad(sound[:needed], (0, max(0, needed - len(sound))))
