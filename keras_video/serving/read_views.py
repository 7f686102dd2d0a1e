"""`ReadViews`: what a decoding process makes of a video for a classifier."""

from collections.abc import Iterator

import numpy as np

from keras_video.data.decoders import register_decoder
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.window_views import window_views
from keras_video.serving.limited_reader import LimitedReader, VideoLimits
from keras_video.serving.request_error import RequestError

_DECODER = "limited"


class ReadViews:
    """Reads videos as the views that a network takes.

    Args:
        limits: what a video may have.
        pipeline: the configuration of the preset's `VideoPipeline`. Videos are decoded with PyAV,
            whatever it says: other decoders know no limits, and give the same frames.
    """

    def __init__(self, limits: VideoLimits, pipeline: dict):
        self._limits = limits
        register_decoder(_DECODER, lambda source, **options: LimitedReader(source, limits))
        self._pipeline = VideoPipeline(**{**pipeline, "decoder": _DECODER})

    def __call__(self, job: dict) -> Iterator[tuple[dict, np.ndarray | None]]:
        """Messages: what the video is, its views, and the views of each window if asked for."""
        with LimitedReader(job["path"], self._limits) as video:
            described = video.describe()
            yield {"video": described}, None
            yield {"views": "whole"}, self._pipeline(video)
        if (windows := job.get("windows")) is None:
            return
        seconds, hop = windows["seconds"], windows["hop"]
        number = 1 + max(0.0, described["duration"] - seconds) / hop
        if number > windows["most"]:
            raise RequestError(
                422,
                "too_many_windows",
                f"The video has {number:.0f} windows. This server takes up to {windows['most']}: "
                "cut it, or ask with windows=false",
            )
        for window in window_views(self._pipeline, job["path"], seconds, hop):
            yield {"views": "window", "start": window.start, "end": window.end}, window.views
