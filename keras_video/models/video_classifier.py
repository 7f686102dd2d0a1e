"""`VideoClassifier`: the base of every model that names what happens in a clip."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from keras_video._compat import lowering_for_cpu
from keras_video.models.classify_videos import (
    average_views,
    check_positive,
    classify_videos,
    in_equal_parts,
)
from keras_video.models.functional_model import FunctionalModel


class VideoClassifier(FunctionalModel):
    """Base class of video classifiers: clips in, logits out, and whole videos through `classify`.

    Subclasses are functional models with an explicit `get_config`. Their input is
    `(batch, num_frames, height, width, 3)` RGB from 0 to 255, `uint8` or float; their output
    `(batch, num_classes)` float32 logits.

    `VideoClassifier.from_preset(name)` returns the class that the preset names.

    Attributes:
        preprocessor: turns a video into `uint8` views `(views, num_frames, height, width, 3)`,
            usually a `keras_video.data.VideoPreprocessor`; `None` for a model without preset.
        labels: class names in the order of the logits, or `None`.
    """

    # Layers whose shape depends on `num_classes`.
    head_layers: tuple[str, ...] = ("classifier",)
    # What is averaged over the views of a video: "logits" or "probabilities".
    view_average = "logits"
    # Whether the features of a frame (`feature_model`) are the same in every clip.
    frames_are_independent = False

    def feature_model(self, layers: Sequence[str] = ()) -> keras.Model:
        """The network without its classifier: from clips to the features that it classifies.

        `keras_video.features` runs it over whole videos.

        Args:
            layers: of 2-D networks, names of layers of the backbone whose means over the frame are
                put after the features: `"stem_pool"` knows colours, which the last layers forget.

        Returns:
            A model that shares this one's weights and input. Its output is float32 under every
            policy, `(batch, steps, channels)`: a step for each frame in the 2-D networks (TSN, TSM,
            PP-TSN, PP-TSM; averaged over the frame), one for the clip in SlowFast (averaged over
            time, frame and windows, both pathways side by side), SlowOnly and TimeSformer (its
            class token).

        Raises:
            NotImplementedError: the model's class does not say what its features are.
            ValueError: it has no such layers.

        Example:

        >>> model = keras_video.models.PPTSM.from_preset("pp_tsm_k400")
        >>> model.feature_model().predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
        (1, 8, 2048)
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say what its features are: define `feature_model` in "
            "it, which returns a keras.Model from clips to (batch, steps, channels). "
            f"Received: model={self.name!r}"
        )

    def _refuse_layers(self, layers: Sequence[str]) -> None:
        if layers:
            raise ValueError(
                "Only 2-D networks (TSN, PP-TSN, TSM, PP-TSM) give features of further layers. "
                f"Received: layers={layers!r} for {type(self).__name__}"
            )

    def classify(self, videos, top_k: int = 5, batch_size: int = 8, errors: str = "raise"):
        """Names what happens in videos.

        The preset's preprocessor samples and crops each video into views; the logits of its views
        are averaged before the softmax. Videos are decoded while the network runs.

        Args:
            videos: a path, `bytes`, a binary file, or decoded frames `(time, height, width, 3)`; or
                a list of those.
            top_k: how many classes to return, at most `num_classes`. Defaults to 5.
            batch_size: views that the network takes at a time. Defaults to 8.
            errors: `"raise"` (default), or `"return"` to put the exception of a video that cannot
                be decoded in the place of its result and go on with the others.

        Returns:
            A list of `{"label": str, "class_id": int, "score": float}`, best first; for a list of
            videos a list of such lists. Scores are probabilities.

        Raises:
            keras_video.data.VideoDecodeError: a video cannot be decoded; the message names it.

        Example:

        >>> model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
        >>> model.classify("clip.mp4", top_k=2)
        [{"label": "moving left", "class_id": 0, "score": 0.98}, ...]
        """
        if isinstance(videos, list | tuple):
            return list(self.classify_each(videos, top_k, batch_size, errors))
        return next(self.classify_each([videos], top_k, batch_size, errors))

    def classify_each(
        self, videos, top_k: int = 5, batch_size: int = 8, errors: str = "raise"
    ) -> Iterator:
        """Like `classify`, for any iterable of videos, one result at a time."""
        check_positive(batch_size=batch_size)
        if self.preprocessor is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} has no preprocessor, so it does not know how "
                "to sample and crop a video. Load a preset, or set `model.preprocessor = "
                "keras_video.data.VideoPreprocessor(...)`. Received: preprocessor=None"
            )
        return classify_videos(
            videos,
            self.preprocessor,
            lambda views: self.scores_of_views(self._logits_of_views(views, batch_size)),
            labels=self._labels,
            top_k=top_k,
            errors=errors,
        )

    def scores_of_views(self, logits: np.ndarray) -> np.ndarray:
        """The scores of a video: probabilities, averaged over its views as `view_average` says.

        Args:
            logits: `(views, num_classes)`.

        Returns:
            Probabilities `(num_classes,)`.
        """
        return average_views(logits, self.view_average)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Logits of clips: `keras.Model.predict`, without its set-up where one batch is enough."""
        check_clips(x, self.input_shape)
        # Keras builds a data pipeline for every call: 50 ms on two cores, a quarter of a clip.
        one_batch = isinstance(x, np.ndarray) and 0 < len(x) <= (batch_size or 32)
        if one_batch and steps is None and not callbacks and not self._has_replicas():
            return self.predict_on_batch(x)
        return super().predict(x, batch_size, verbose, steps, callbacks)

    def predict_step(self, *args, **kwargs):
        with lowering_for_cpu():
            return super().predict_step(*args, **kwargs)

    def _has_replicas(self) -> bool:
        strategy = getattr(self, "distribute_strategy", None)
        return strategy is not None and strategy.num_replicas_in_sync > 1

    def _logits_of_views(self, views: np.ndarray, batch_size: int) -> np.ndarray:
        try:
            check_clips(views, self.input_shape)
        except ValueError as error:
            raise ValueError(f"The preprocessor doesn't suit this model. {error}") from error
        logits = [self.predict_on_batch(part) for part in in_equal_parts(views, batch_size)]
        return np.concatenate(logits)


def check_clips(clips, input_shape: tuple) -> None:
    """Raises `ValueError` for an array that cannot be a batch of clips of `input_shape`."""
    shape, dtype = getattr(clips, "shape", None), getattr(clips, "dtype", None)
    if shape is None or dtype is None or not hasattr(shape, "__len__"):
        return  # A dataset or generator: its elements are checked by Keras.
    expected = ", ".join(
        name if size is None else str(size)
        for name, size in zip(
            ("batch", "num_frames", "height", "width", "channels"), input_shape, strict=True
        )
    )
    wrong_shape = (
        len(shape) != 5
        or shape[0] == 0
        or any(
            want is not None and have is not None and want != have
            for want, have in zip(input_shape, shape, strict=True)
        )
    )
    if wrong_shape:
        raise ValueError(f"Clips must have the shape ({expected}). Received: shape={tuple(shape)}")
    kind = keras.backend.standardize_dtype(dtype)
    if kind != "uint8" and not kind.startswith(("float", "bfloat")):
        raise ValueError(
            "Clips must be RGB from 0 to 255 as uint8 or float; integers of other types are "
            f"usually a mistake: convert them yourself. Received: dtype={kind}"
        )
