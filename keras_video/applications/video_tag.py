"""`VideoTag`: tags for whole videos, in two stages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from keras_video.applications.application import Application

DEFAULT_EXTRACTION = {"frames": 300}
# Lengths are padded to multiples of this, so that the predictor is compiled for few of them.
LENGTH_STEP = 20


class VideoTag(Application):
    """Tags whole videos: one network turns frames into features, a second one reads the sequence.

    The extractor sees the frames of the whole video, 300 spread evenly over it unless `extraction`
    says otherwise; the predictor turns the features into a probability for each tag, of which a
    video can have any number. Only features are kept, so videos may be of any length.

    Args:
        extractor: a model with `feature_model` and a preprocessor, such as a `TSN` or `TSM` with
            its preset.
        predictor: an `AttentionLSTM` with one modality, as many channels as the extractor gives,
            and labels.
        extraction: arguments of `keras_video.features.FeatureExtractor` that say which frames.
            Defaults to `{"frames": 300}`.
        thresholds: from which score on a tag is given, one for each, such as `best_thresholds`
            finds; or `None`.

    Attributes:
        labels: names of the tags in the order of their numbers. Two may have one name.

    Raises:
        ValueError: models that do not fit together, or another number of thresholds.

    Example:

    >>> tagger = keras_video.applications.VideoTag.from_preset("video_tag_3k")
    >>> tagger("clip.mp4", top_k=20)
    [{"label": "训练", "class_id": 3110, "score": 0.977}, ...]

    Reference: PaddleVideo's VideoTag,
    https://github.com/PaddlePaddle/PaddleVideo/tree/develop/applications/VideoTag
    """

    part_names = ("extractor", "predictor")

    def __init__(
        self,
        extractor,
        predictor,
        *,
        extraction: Mapping | None = None,
        thresholds: Sequence[float] | None = None,
    ):
        from keras_video.features import FeatureExtractor

        self.extraction = dict(DEFAULT_EXTRACTION if extraction is None else extraction)
        self._features = FeatureExtractor(extractor, **self.extraction)
        self.extractor, self.predictor = extractor, predictor
        modalities = dict(getattr(predictor, "features", None) or {})
        if list(modalities.values()) != [self._features.channels]:
            raise ValueError(
                "The predictor must take one modality, with the features that the extractor gives. "
                f"Received: {self._features.channels} features of {extractor.name!r} for "
                f"{modalities} of {predictor.name!r}"
            )
        (self._modality,) = modalities
        if thresholds is not None:
            thresholds = [float(value) for value in thresholds]
            if len(thresholds) != predictor.num_classes or not all(0 <= t <= 1 for t in thresholds):
                raise ValueError(
                    f"There must be a threshold from 0 to 1 for each of the "
                    f"{predictor.num_classes} tags. Received: {len(thresholds)} thresholds, "
                    f"{thresholds[:3]}, ..."
                )
        self.thresholds = thresholds

    def get_config(self) -> dict:
        return {"extraction": self.extraction, "thresholds": self.thresholds}

    @property
    def labels(self) -> list[str]:
        return self.predictor.labels or [str(i) for i in range(self.predictor.num_classes)]

    def __call__(
        self, videos, top_k: int | None = 20, threshold: float | str | None = None, errors="raise"
    ):
        """Tags videos.

        Args:
            videos: a path, URL, `bytes`, a binary file, or decoded frames `(time, height, width,
                3)`; or a list of those.
            top_k: how many tags to return at most; `None` for all. Defaults to 20.
            threshold: return only tags with a score from this on; `"best"` takes each tag's own
                of `thresholds`. By default the best `top_k`, whatever their scores.
            errors: `"raise"` (default), or `"return"` to put the exception of a video that cannot
                be decoded in the place of its result and go on with the others.

        Returns:
            A list of `{"label": str, "class_id": int, "score": float}`, best first; for a list of
            videos a list of such lists. Scores are probabilities, each for itself.

        Raises:
            keras_video.data.VideoDecodeError: a video cannot be decoded; the message names it.
            ValueError: arguments out of range, or `"best"` without thresholds.
        """
        if isinstance(videos, list | tuple):
            return list(self.tag_each(videos, top_k, threshold, errors))
        return next(self.tag_each([videos], top_k, threshold, errors))

    def tag_each(
        self,
        videos: Iterable,
        top_k: int | None = 20,
        threshold: float | str | None = None,
        errors: str = "raise",
    ) -> Iterator:
        """Like calling it, for any iterable of videos, one result at a time."""
        if top_k is not None and (not isinstance(top_k, int | np.integer) or top_k < 1):
            raise ValueError(
                f"`top_k` must be a whole number from 1, or None. Received: top_k={top_k!r}"
            )
        if errors not in ("raise", "return"):
            raise ValueError(f'`errors` must be "raise" or "return". Received: errors={errors!r}')
        thresholds = self._thresholds(threshold)
        return self._results(videos, top_k, thresholds, errors)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """The probability of each tag from a video's features.

        Args:
            features: `(steps, channels)`, such as `keras_video.features` writes.

        Returns:
            `(tags,)`, float32.

        Raises:
            ValueError: features of another shape, or none.
        """
        features = np.asarray(features)
        channels = self._features.channels
        if features.ndim != 2 or features.shape[1] != channels or not len(features):
            raise ValueError(
                f"Features must have the shape (steps, {channels}). "
                f"Received: shape={features.shape}"
            )
        steps = len(features)
        padding = -steps % LENGTH_STEP
        inputs = {
            self._modality: np.pad(features, ((0, padding), (0, 0)))[None].astype("float32"),
            f"{self._modality}_mask": (np.arange(steps + padding) < steps)[None],
        }
        logits = np.asarray(self.predictor.predict_on_batch(inputs)[0], "float64")
        return (1 / (1 + np.exp(-logits))).astype("float32")

    def _results(self, videos, top_k, thresholds, errors: str) -> Iterator:
        for video in videos:
            try:
                extracted = self._features(video)
            except (ValueError, OSError) as error:
                if errors == "raise":
                    raise
                yield error
            else:
                yield self._tags(self.scores(extracted.features), top_k, thresholds)

    def _tags(self, scores: np.ndarray, top_k: int | None, thresholds) -> list[dict]:
        order = np.argsort(-scores, kind="stable")
        if thresholds is not None:
            order = order[(scores >= thresholds)[order]]
        labels = self.labels
        return [
            {"label": labels[i], "class_id": int(i), "score": float(scores[i])}
            for i in order[:top_k]
        ]

    def _thresholds(self, threshold):
        if threshold is None:
            return None
        if isinstance(threshold, str):
            if threshold != "best" or self.thresholds is None:
                raise ValueError(
                    '`threshold` is a number from 0 to 1, or "best" where the application has '
                    f"thresholds of its own. Received: threshold={threshold!r}, thresholds="
                    f"{'None' if self.thresholds is None else 'known'}"
                )
            return np.array(self.thresholds)
        if not 0 <= threshold <= 1:
            raise ValueError(f"`threshold` must be from 0 to 1. Received: threshold={threshold!r}")
        return np.full(self.predictor.num_classes, float(threshold))


def reference_result(source: str, tags: Sequence[dict]) -> list:
    """A video's tags in the form that PaddleVideo's VideoTag writes.

    Args:
        source: the video's path.
        tags: what `VideoTag` returns for it.

    Returns:
        `[source, {"class_name": ..., "probability": ..., "class_id": ...}, ...]`.
    """
    return [
        str(source),
        *(
            {
                "class_name": tag["label"],
                "probability": tag["score"],
                "class_id": tag["class_id"],
            }
            for tag in tags
        ),
    ]
