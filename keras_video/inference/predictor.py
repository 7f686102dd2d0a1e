"""`Predictor`: a preset or an exported model, from videos to answers, in any runtime."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.exported_model import ExportedModel, is_exported
from keras_video.inference.frame_prediction import FramePrediction
from keras_video.inference.online_frames import classify_frames
from keras_video.inference.runtime import Runtime
from keras_video.inference.runtimes import load, open_runtime
from keras_video.inference.sliding_windows import classify_windows
from keras_video.inference.stream_windows import stream_windows
from keras_video.inference.whole_video import WholeVideo, whole_video
from keras_video.inference.window_prediction import WindowPrediction
from keras_video.inference.window_views import WINDOW_SECONDS, window_views
from keras_video.models.classify_videos import (
    average_views,
    best_classes,
    check_positive,
    classify_videos,
    in_equal_parts,
)
from keras_video.presets import preset_files as files
from keras_video.presets.errors import one_line
from keras_video.presets.label_files import read_labels
from keras_video.presets.trusted_config import config_class, read_object_config


class Predictor:
    """Names what happens in videos, with the same answers in every runtime.

    Exported models bring their labels and their preprocessing along, and their runtimes load
    neither Keras nor TensorFlow (but for `saved_model`). May be used by several threads.

    Args:
        model: the directory of an exported model (`keras-video export`); or the name or directory
            of a preset, or a Keras model, which Keras runs.
        runtime: see `open_runtime`; `None` for the one that fits the model.
        threads: how many the network may use; `None` for all cores.

    Attributes:
        runtime: the `Runtime`, whose `run` takes and returns named arrays.
        labels: names of the classes, or `None`.
        preprocessor: makes views of a video, or `None`.
        view_average: what is averaged over views, `"logits"` or `"probabilities"`.
        states: of a model that takes one frame at a time, which output is what input of the next
            frame: `{input: output}`.

    Raises:
        ImportError: the runtime is not installed; the message says how.
        ValueError: there is no such model, or the runtime refuses it.

    Example:

    >>> predictor = keras_video.inference.Predictor("exported/tsm", runtime="openvino")
    >>> predictor.classify("clip.mp4", top_k=2)
    [{"label": "moving left", "class_id": 0, "score": 0.98}, ...]
    """

    def __init__(self, model, runtime: str | None = None, threads: int | None = None):
        if isinstance(model, str | os.PathLike) and is_exported(model):
            described = ExportedModel.read(model)
            self.view_average, self.states = described.view_average, described.states
            self.with_preprocessing = described.with_preprocessing
            self.preprocessor = _read_preprocessor(Path(model) / files.PREPROCESSOR)
            labels = Path(model) / files.LABELS
            self.labels = read_labels(labels) if labels.is_file() else None
        else:
            model = load(model, threads)
            self.view_average = getattr(model, "view_average", None)
            self.states = getattr(model, "states", {})
            self.with_preprocessing = False
            self.preprocessor, self.labels = model.preprocessor, model.labels
        self.runtime = open_runtime(model, runtime, threads)
        _check_labels(self.labels, self.runtime)
        self._model, self._step_runtime = model, None

    def classify(self, videos, top_k: int = 5, batch_size: int = 8, errors: str = "raise"):
        """Names what happens in videos, as `VideoClassifier.classify` does.

        Args:
            videos: a path, `bytes`, a binary file, or decoded frames `(time, height, width, 3)`; or
                a list of those.
            top_k: how many classes to return. Defaults to 5.
            batch_size: views that the network takes at a time. Defaults to 8.
            errors: `"raise"` (default), or `"return"` to put the exception of a video that cannot
                be decoded in the place of its result and go on with the others.

        Returns:
            A list of `{"label": str, "class_id": int, "score": float}`, best first; for a list of
            videos a list of such lists.

        Raises:
            keras_video.data.VideoDecodeError: a video cannot be decoded; the message names it.
            ValueError: the model is no classifier of videos.
        """
        if isinstance(videos, list | tuple):
            return list(self.classify_each(videos, top_k, batch_size, errors))
        return next(self.classify_each([videos], top_k, batch_size, errors))

    def classify_each(
        self, videos, top_k: int = 5, batch_size: int = 8, errors: str = "raise"
    ) -> Iterator:
        """Like `classify`, for any iterable of videos, one result at a time."""
        check_positive(batch_size=batch_size)
        self._require_classifier()
        return classify_videos(
            videos,
            self.preprocess,
            lambda views: self.scores(views, batch_size),
            labels=self.labels,
            top_k=top_k,
            errors=errors,
        )

    def classify_windows(
        self,
        video,
        window_seconds: float = WINDOW_SECONDS,
        hop_seconds: float | None = None,
        top_k: int = 5,
        batch_size: int = 8,
        fps: float = 25.0,
    ) -> Iterator[WindowPrediction]:
        """Names what happens when in a long video, in memory that does not grow with its length.

        Each window is judged as `classify` judges a video of its frames. Frames are decoded once,
        while the network runs.

        Args:
            video: as in `classify`; files are decoded by the preprocessor's decoder.
            window_seconds: length of a window. Defaults to 10, the length of the clips of Kinetics,
                which most presets learned from; a model that learned from shorter ones wants less.
            hop_seconds: from the start of a window to the next one's. Defaults to half a window.
            top_k: how many classes to return. Defaults to 5.
            batch_size: views that the network takes at a time. Defaults to 8.
            fps: frame rate of decoded frames.

        Yields:
            A `WindowPrediction` for each window; the last one ends where the video does.

        Raises:
            keras_video.data.VideoDecodeError: the video cannot be decoded; the message names it.
            ValueError: the model is no classifier of clips, or an argument is out of range.
        """
        check_positive(top_k=top_k, batch_size=batch_size)
        self._require_clips()
        windows = window_views(self.preprocessor, video, window_seconds, hop_seconds, fps=fps)
        return self._classify_windows(windows, top_k, batch_size)

    def classify_stream(
        self,
        frames: Iterable[np.ndarray],
        fps: float,
        window_seconds: float = WINDOW_SECONDS,
        hop_seconds: float | None = None,
        top_k: int = 5,
    ) -> Iterator[WindowPrediction]:
        """Like `classify_windows`, for frames that come one by one and may never end.

        Args:
            frames: RGB, uint8 `(height, width, 3)`, all of one size, at a constant rate, such as a
                `keras_video.data.LiveReader` of a camera.
            fps: frames a second.
            window_seconds: as in `classify_windows`.
            hop_seconds: as in `classify_windows`.
            top_k: how many classes to return. Defaults to 5.

        Yields:
            A `WindowPrediction` as soon as the last frame of a window is there.

        Raises:
            ValueError: a frame is none or of another size, the message names its number; or the
                stream ends before the first window does.
        """
        check_positive(top_k=top_k)
        self._require_clips()
        windows = stream_windows(self.preprocessor, frames, fps, window_seconds, hop_seconds)
        # A batch is what is there: one window.
        return self._classify_windows(windows, top_k, self.preprocessor.num_views)

    def classify_online(
        self,
        frames: Iterable[np.ndarray],
        every: int = 1,
        average: int | None = None,
        top_k: int = 5,
    ) -> Iterator[FramePrediction]:
        """Names what happens at every frame of a stream; the network sees each frame once.

        For TSM and PP-TSM of `shift_direction="past"`, and their exported step models. After the
        first `average` frames the answer is that of `classify` for a clip of these frames.

        Args:
            frames: as in `classify_stream`.
            every: the network sees the first of so many frames; best as far apart as those that it
                learned from. Defaults to 1.
            average: how many frames that it saw an answer is averaged over, by default as many as
                a clip has.
            top_k: how many classes to return. Defaults to 5.

        Yields:
            A `FramePrediction` for each frame that the network saw.

        Raises:
            ValueError: the model looks at later frames too; or as in `classify_stream`.
        """
        states, runtime = self.states, self.runtime
        if not states:
            if not hasattr(self._model, "step_model"):
                raise ValueError(
                    'Frame by frame runs TSM or PP-TSM of shift_direction="past", or what was '
                    "exported of its `step_model`. Received: a model of "
                    f"{sorted(runtime.inputs)} to {sorted(runtime.outputs)}"
                )
            if self._step_runtime is None:
                step = self._model.step_model(getattr(self.preprocessor, "crop_size", None))
                self._step_runtime = open_runtime(step), step.states
            runtime, states = self._step_runtime
        arguments = {"every": every, "average": average, "labels": self.labels, "top_k": top_k}
        return classify_frames(runtime, states, self.preprocessor, frames, **arguments)

    def preprocess(self, video) -> np.ndarray | WholeVideo:
        """The views of a video, as the network takes them: uint8, time before height and width.

        For a model that was exported with its preprocessing, the decoded video.
        """
        self._require_classifier()
        if self.with_preprocessing:
            return whole_video(self.preprocessor, video)
        return self.preprocessor(video)

    def logits(self, clips: np.ndarray) -> np.ndarray:
        """Logits `(batch, num_classes)` of clips `(batch, num_frames, height, width, 3)`."""
        (name,) = self.runtime.inputs
        return self.runtime.run({name: clips})["logits"]

    def scores(self, views: np.ndarray | WholeVideo, batch_size: int = 8) -> np.ndarray:
        """The probabilities `(num_classes,)` of the video that `preprocess` made the views of."""
        if not self.with_preprocessing:
            logits = [self.logits(part) for part in in_equal_parts(views, batch_size)]
            return average_views(np.concatenate(logits), self.view_average)
        return self.runtime.run({name: getattr(views, name) for name in self.runtime.inputs})[
            "scores"
        ][0]

    def best(self, scores: np.ndarray, top_k: int = 5) -> list[dict]:
        """The classes of the highest scores, as `classify` returns them."""
        return best_classes(scores, self.labels, top_k)

    def _classify_windows(self, windows, top_k: int, batch_size: int):
        return classify_windows(
            windows,
            self.logits,
            view_average=self.view_average,
            labels=self.labels,
            top_k=top_k,
            batch_size=batch_size,
        )

    def _require_clips(self) -> None:
        self._require_classifier()
        if self.with_preprocessing:
            raise ValueError(
                "A model that was exported with its preprocessing samples whole videos; windows "
                "need one without (`keras-video export`). Received: with_preprocessing=True"
            )

    def _require_classifier(self) -> None:
        if self.view_average is None or self.preprocessor is None:
            raise ValueError(
                "Only models with logits of classes and a preprocessor name what happens in "
                "videos; `predictor.runtime.run` runs others on arrays. Received: a model of "
                f"{sorted(self.runtime.inputs)} to {sorted(self.runtime.outputs)}, "
                f"preprocessor={self.preprocessor!r}"
            )


def _read_preprocessor(path: Path) -> VideoPipeline | None:
    """Without Keras; other classes than `VideoPreprocessor` are what Keras makes of them."""
    if not path.is_file():
        return None
    config = read_object_config(path)
    own = config["registered_name"] == "keras_video>VideoPreprocessor"
    made_by = VideoPipeline if own else config_class(config, path, trusted=None)
    try:
        return made_by.from_config(config["config"])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The preprocessing cannot be read: {one_line(error)}. Received: {str(path)!r}"
        ) from error


def _check_labels(labels: list[str] | None, runtime: Runtime) -> None:
    for output in ("logits", "scores"):
        classes = runtime.outputs[output].shape[-1] if output in runtime.outputs else None
        if labels and classes is not None and len(labels) != classes:
            raise ValueError(
                f"The labels are not those of the model, which has {classes} classes. "
                f"Received: {len(labels)} labels"
            )
