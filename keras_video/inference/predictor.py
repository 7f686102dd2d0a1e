"""`Predictor`: a preset or an exported model, from videos to answers, in any runtime."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.exported_model import ExportedModel, is_exported
from keras_video.inference.runtimes import load, open_runtime
from keras_video.models.classify_videos import (
    average_views,
    best_classes,
    check_positive,
    classify_videos,
    in_equal_parts,
)
from keras_video.presets import preset_files as files
from keras_video.presets.label_files import read_labels


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
            self.view_average = described.view_average
            self.with_preprocessing = described.with_preprocessing
            self.preprocessor = _read_preprocessor(Path(model) / files.PREPROCESSOR)
            labels = Path(model) / files.LABELS
            self.labels = read_labels(labels) if labels.is_file() else None
        else:
            model = load(model, threads)
            self.view_average = getattr(model, "view_average", None)
            self.with_preprocessing = False
            self.preprocessor, self.labels = model.preprocessor, model.labels
        self.runtime = open_runtime(model, runtime, threads)

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

    def preprocess(self, video) -> np.ndarray:
        """The views of a video, as the network takes them: uint8, time before height and width."""
        self._require_classifier()
        return self.preprocessor(video)

    def logits(self, clips: np.ndarray) -> np.ndarray:
        """Logits `(batch, num_classes)` of clips `(batch, num_frames, height, width, 3)`."""
        (name,) = self.runtime.inputs
        return self.runtime.run({name: clips})["logits"]

    def scores(self, views: np.ndarray, batch_size: int = 8) -> np.ndarray:
        """The probabilities `(num_classes,)` of the video that the views show."""
        if not self.with_preprocessing:
            logits = [self.logits(part) for part in in_equal_parts(views, batch_size)]
            return average_views(np.concatenate(logits), self.view_average)
        raise NotImplementedError

    def best(self, scores: np.ndarray, top_k: int = 5) -> list[dict]:
        """The classes of the highest scores, as `classify` returns them."""
        return best_classes(scores, self.labels, top_k)

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
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.get("registered_name") == "keras_video>VideoPreprocessor":
        return VideoPipeline.from_config(config["config"])
    from keras_video.presets.trusted_config import config_class, read_object_config

    config = read_object_config(path)
    return config_class(config, path, trusted=None).from_config(config["config"])
