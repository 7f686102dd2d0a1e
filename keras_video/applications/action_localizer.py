"""`ActionLocalizer`: when something happens in a video, and what."""

import os
from collections.abc import Iterable, Iterator

import numpy as np

from keras_video._compat import make_flexible_function
from keras_video.applications.application import Application
from keras_video.applications.timeline import Timeline
from keras_video.applications.video_tracks import (
    MEL_BANDS,
    VideoTracks,
    rows_of_step,
    sound_features,
    spectrum_of,
)
from keras_video.localization.detection import Detection
from keras_video.localization.nms import nms
from keras_video.localization.proposal import Proposal
from keras_video.localization.windows import propose_in_windows

BACKGROUND = "background"
_SEGMENTS_AT_ONCE = 64


class ActionLocalizer(Application):
    """Finds the actions in long videos: PaddleVideo's FootballAction, for whatever sport.

    A network turns pictures into features, five times a second; with them goes the spectrogram of
    the sound. A boundary-matching network proposes segments, in windows that overlap. Each segment
    is classified by the features of its pictures and its sound, and its overlap with an action is
    estimated. Of overlapping segments the best stays, if both of its scores are high enough.

    Args:
        extractor: a model with `feature_model` and a preprocessor, such as a `PPTSM`.
        proposer: a `BMN` for as many channels as pictures and spectrum have together.
        classifier: an `ActionLSTM` for `"image"`, and `"sound"` if sound plays a role, with labels;
            the first of its classes is the background.
        sound_network: a `VGGish` whose embedding of each second the classifier takes; `None` where
            it takes the spectrogram itself, or no sound.
        fps: steps a second; a divisor of 50 where sound plays a role. Defaults to 5.
        min_duration: of actions in seconds. Defaults to 1.
        proposal_threshold: proposals with a lower score are dropped. Defaults to 0.03.
        proposal_iou: of two proposals that overlap more, one is dropped. Defaults to 0.7.
        class_threshold: an action's class must be as probable. Defaults to 0.05.
        iou_threshold: its estimated overlap must be as high. Defaults to 0.1.
        action_iou: of two actions that overlap more, one is dropped. Defaults to 0.01.

    Attributes:
        labels: names of the classes, without the background.

    Raises:
        ValueError: models that do not fit together, or a number out of range.

    Example:

    >>> localize = keras_video.applications.ActionLocalizer.from_preset("runs/match/preset")
    >>> timeline = localize("match.mp4")
    >>> timeline.detections[0]
    Detection(start=12.4, end=17.6, score=0.93, label='goal')
    >>> timeline.save_plot("timeline.png")

    Reference: PaddleVideo's FootballAction,
    https://github.com/PaddlePaddle/PaddleVideo/tree/develop/applications/FootballAction
    """

    part_names = ("extractor", "proposer", "classifier", "sound_network")
    optional_parts = ("sound_network",)

    def __init__(
        self,
        extractor,
        proposer,
        classifier,
        sound_network=None,
        *,
        fps: float = 5,
        min_duration: float = 1.0,
        proposal_threshold: float = 0.03,
        proposal_iou: float = 0.7,
        class_threshold: float = 0.05,
        iou_threshold: float = 0.1,
        action_iou: float = 0.01,
    ):
        from keras_video.features import FeatureExtractor

        numbers = {
            "proposal_threshold": proposal_threshold,
            "proposal_iou": proposal_iou,
            "class_threshold": class_threshold,
            "iou_threshold": iou_threshold,
            "action_iou": action_iou,
        }
        for name, value in numbers.items():
            if not 0 <= value <= 1:
                raise ValueError(f"`{name}` must be from 0 to 1. Received: {name}={value!r}")
        if not 0 <= min_duration < float("inf"):
            raise ValueError(
                "`min_duration` must be a number of seconds from 0. "
                f"Received: min_duration={min_duration!r}"
            )
        self._features = FeatureExtractor(extractor, fps=fps)
        self.extractor, self.proposer = extractor, proposer
        self.classifier, self.sound_network = classifier, sound_network
        self.settings = {"fps": fps, "min_duration": min_duration, **numbers}
        modalities = dict(getattr(classifier, "features", None) or {})
        self.uses_sound = "sound" in modalities
        channels = self._features.channels
        wanted = {"image": channels}
        if self.uses_sound:
            spectrum = MEL_BANDS * rows_of_step(fps)
            wanted["sound"] = spectrum if sound_network is None else sound_network.embedding_dim
            channels += spectrum
        elif sound_network is not None:
            raise ValueError(
                "The classifier takes no sound, so there is no use for a network that hears it. "
                f"Received: sound_network={sound_network.name!r}, a classifier of {modalities}"
            )
        if modalities != wanted or getattr(proposer, "feature_dim", None) != channels:
            raise ValueError(
                f"The classifier must take {wanted}, and the proposer {channels} channels. "
                f"Received: a classifier of {modalities}, and a proposer of "
                f"{getattr(proposer, 'feature_dim', None)} channels"
            )
        self._propose = make_flexible_function(proposer)
        self._classify = make_flexible_function(classifier)
        self._hear = None
        if sound_network is not None:
            self._hear = make_flexible_function(sound_network.feature_model())
        if classifier.num_classes < 2:
            raise ValueError(
                "The classifier must have a class besides the background. "
                f"Received: {classifier.num_classes} classes"
            )

    def get_config(self) -> dict:
        return dict(self.settings)

    @property
    def labels(self) -> list[str]:
        names = self.classifier.labels or [str(i) for i in range(self.classifier.num_classes)]
        return names[1:]

    def __call__(self, video, name: str | None = None) -> Timeline:
        """Finds the actions of one video.

        Args:
            video: a path, URL, `bytes` or a binary file. Without a sound track it is taken as
                silent, with a `NoSoundWarning`.
            name: of the video, in the result; by default its path.

        Raises:
            keras_video.data.VideoDecodeError: the video cannot be read.
        """
        if name is None:
            name = os.fspath(video) if isinstance(video, str | os.PathLike) else "video"
        return self.localize_tracks(self.read(video), name)

    def localize_each(self, videos: Iterable, errors: str = "raise") -> Iterator:
        """Like calling it, for many videos, one at a time.

        Args:
            videos: what it can be called with.
            errors: `"raise"` (default), or `"return"` to put the exception of a video that cannot
                be read in the place of its timeline.
        """
        from keras_video.data import VideoDecodeError

        if errors not in ("raise", "return"):
            raise ValueError(f'`errors` is "raise" or "return". Received: errors={errors!r}')
        for video in videos:
            try:
                yield self(video)
            except VideoDecodeError as error:
                if errors == "raise":
                    raise
                yield error

    def read(self, video) -> VideoTracks:
        """The features of a video, and of its sound where that plays a role."""
        found = self._features(video)
        if hasattr(video, "seek"):
            video.seek(0)
        spectrum = None
        if self.uses_sound:
            spectrum = spectrum_of(video, self.settings["fps"], len(found.features))
        return self.with_sound(found.features, spectrum, found.duration)

    def with_sound(self, image, spectrum, duration: float) -> VideoTracks:
        """Features that are there already, as tracks."""
        fps, sound = self.settings["fps"], None
        if spectrum is not None and self._hear is not None:
            sound = sound_features(self._hear, spectrum, fps)
        return VideoTracks(image, spectrum, sound, fps, duration)

    def localize_tracks(self, tracks: VideoTracks, name: str = "video") -> Timeline:
        """As calling it, with features that are there already."""
        fps = tracks.fps
        segments, scores = self.propose_tracks(tracks, self.settings["proposal_threshold"])
        classes, overlaps = self.classify(tracks, segments)
        best = 1 + classes[:, 1:].argmax(axis=1) if len(classes) else np.zeros(0, int)
        chosen = np.flatnonzero(classes.argmax(axis=1) > 0) if len(classes) else best
        merits = classes[chosen, best[chosen]] * overlaps[chosen]
        chosen = chosen[nms(segments[chosen], merits, self.settings["action_iou"])]
        sure = classes[chosen, best[chosen]] >= self.settings["class_threshold"]
        chosen = chosen[sure & (overlaps[chosen] >= self.settings["iou_threshold"])]
        chosen = chosen[np.argsort(segments[chosen, 0], kind="stable")]
        labels = tuple(self.labels)
        class_scores = [float(classes[i, best[i]]) for i in chosen]
        iou_scores = [float(overlaps[i]) for i in chosen]
        detections = [
            Detection(*map(float, segments[i]), class_score * iou_score, labels[best[i] - 1])
            for i, class_score, iou_score in zip(chosen, class_scores, iou_scores, strict=True)
        ]
        proposals = [
            Proposal(float(start), float(end), float(score))
            for (start, end), score in zip(segments, scores, strict=True)
        ]
        return Timeline(
            name,
            float(tracks.duration),
            tuple(detections),
            tuple(proposals),
            labels,
            tuple(class_scores),
            tuple(iou_scores),
            fps,
        )

    def propose_tracks(
        self, tracks: VideoTracks, score_threshold: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Segments in seconds `(segments, 2)`, and their scores, best first."""
        segments, scores = propose_in_windows(
            self.proposer,
            tracks.steps,
            min_duration=max(1, round(self.settings["min_duration"] * tracks.fps)),
            score_threshold=score_threshold,
            iou_threshold=self.settings["proposal_iou"],
            predict=self._propose,
        )
        segments = np.minimum(segments / tracks.fps, tracks.duration)
        lasting = segments[:, 1] > segments[:, 0]
        return segments[lasting], scores[lasting]

    def classify(self, tracks: VideoTracks, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of the classes `(segments, classes)`, and overlaps `(segments,)`.

        Args:
            tracks: the video.
            segments: `(segments, 2)`, in seconds.
        """
        if not len(segments):
            return np.zeros((0, self.classifier.num_classes)), np.zeros(0)
        # Segments of about one length together.
        order = np.argsort(segments[:, 1] - segments[:, 0], kind="stable")
        logits, overlaps = [], []
        for first in range(0, len(order), _SEGMENTS_AT_ONCE):
            parts = [tracks.segment(*segments[i]) for i in order[first : first + _SEGMENTS_AT_ONCE]]
            outputs = self._classify(pad_parts(parts))
            logits.append(np.asarray(outputs["classes"], "float64"))
            overlaps.append(np.asarray(outputs["iou"], "float64")[:, 0])
        logits, overlaps = np.concatenate(logits), np.concatenate(overlaps)
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        back = np.argsort(order)
        return (exponents / exponents.sum(axis=1, keepdims=True))[back], overlaps[back]


def pad_parts(parts: list[dict[str, np.ndarray]], length: int | None = None) -> dict:
    """Segments of different lengths as one batch with masks.

    Args:
        parts: of each segment, steps `(time, channels)` by modality.
        length: steps of the batch, by default those of the longest.
    """
    batch = {}
    for name in parts[0]:
        steps = max(len(part[name]) for part in parts) if length is None else length
        features = np.zeros((len(parts), steps, parts[0][name].shape[1]), "float32")
        mask = np.zeros((len(parts), steps), bool)
        for row, part in enumerate(parts):
            kept = part[name][:steps]
            features[row, : len(kept)] = kept
            mask[row, : len(kept)] = True
        batch |= {name: features, f"{name}_mask": mask}
    return batch
