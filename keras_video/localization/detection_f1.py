"""`detection_f1`: precision, recall and F1 of detected actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_video.localization.action import Action
from keras_video.localization.detection import Detection
from keras_video.localization.evaluated_videos import (
    best_first,
    by_label,
    check_videos,
    match_in_order,
)
from keras_video.localization.segments import checked_thresholds, is_number, times
from keras_video.localization.temporal_iou import temporal_ioa, temporal_iou

OVERLAPS = ("iou", "ioa")


@dataclass(frozen=True)
class F1Counts:
    """What the detections of a class, or of all, have found.

    Attributes:
        right: detections that found an action of their own.
        detections: detections above the lowest score.
        actions: actions of the truth.
    """

    right: int
    detections: int
    actions: int

    @property
    def precision(self) -> float:
        """Share of the detections that are right; 0 without detections."""
        return self.right / self.detections if self.detections else 0.0

    @property
    def recall(self) -> float:
        """Share of the actions that were found; 0 without actions."""
        return self.right / self.actions if self.actions else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing is right."""
        return 2 * self.right / (self.detections + self.actions) if self.right else 0.0


@dataclass(frozen=True)
class DetectionF1:
    """Precision, recall and F1 of detections, from 0 to 1.

    Attributes:
        per_class: `{label: F1Counts}`, sorted, for all classes of the truth and of the detections.
        overall: `F1Counts` of all classes together, every action counting the same.

    Example:

    >>> truth = {"a": [Action(0.0, 10.0, "run")]}
    >>> found = detection_f1({"a": [Detection(0.0, 8.0, 0.9, "run")]}, truth)
    >>> found.overall.f1, found.per_class["run"].recall
    (1.0, 1.0)
    """

    per_class: dict[str, F1Counts]
    overall: F1Counts


def detection_f1(
    detections: Mapping[str, Sequence[Detection]],
    truth: Mapping[str, Sequence[Action]],
    threshold: float = 0.5,
    min_score: float | Mapping[str, float] = 0.0,
    overlap: str = "iou",
) -> DetectionF1:
    """Counts the detections that are right, each action at most once, the best score first.

    A detection is right if it overlaps an action of its class by the threshold that no better
    detection has found; it takes the one that it overlaps most.

    Choose lowest scores on videos that neither train nor test: on the tested ones themselves F1
    comes out too high. PaddleVideo's FootballAction does that, and counts every detection of an
    action as right.

    Args:
        detections: `{video: detections}` in any order. Those in videos without actions of their
            class, in videos that the truth hasn't, and of classes that it hasn't, are wrong.
        truth: `{video: actions}`.
        threshold: overlap of a right detection, above 0 and up to 1. Defaults to 0.5.
        min_score: lowest score of a detection that counts, for all classes or `{label: score}`;
            classes that aren't in it have 0. Defaults to 0.
        overlap: `"iou"` (default), or `"ioa"` for the share of the action that lies within the
            detection, as FootballAction measures; it favours long detections.

    Returns:
        A `DetectionF1`.

    Raises:
        ValueError: no actions, no video in common, or arguments of another form.

    Example:

    >>> truth = {"a": [Action(0.0, 10.0, "run"), Action(20.0, 30.0, "run")]}
    >>> twice = [Detection(0.0, 9.0, 0.9, "run"), Detection(0.0, 10.0, 0.8, "run")]
    >>> found = detection_f1({"a": twice}, truth).overall
    >>> found.precision, found.recall
    (0.5, 0.5)
    """
    check_videos(detections, truth, (Detection,))
    thresholds = checked_thresholds([threshold])
    if overlap not in OVERLAPS:
        raise ValueError(
            f"`overlap` is one of {', '.join(OVERLAPS)}. Received: overlap={overlap!r}"
        )
    lowest = min_score if isinstance(min_score, Mapping) else {}
    default = 0.0 if isinstance(min_score, Mapping) else min_score
    if not all(map(is_number, (default, *lowest.values()))):
        raise ValueError(f"`min_score` is a number, or one a label. Received: {min_score!r}")

    true, detected = by_label(truth), by_label(detections)
    per_class = {}
    for label in sorted(set(true) | set(detected)):
        right = count = 0
        for video, found in detected.get(label, {}).items():
            least = lowest.get(label, default)
            ranked = best_first([item for item in found if item.score >= least])
            actions = times(true.get(label, {}).get(video, ()))
            overlaps = _overlaps(times(ranked), actions, overlap)
            right += int(match_in_order(overlaps, thresholds).sum())
            count += len(ranked)
        per_class[label] = F1Counts(right, count, sum(map(len, true.get(label, {}).values())))
    overall = F1Counts(
        sum(counts.right for counts in per_class.values()),
        sum(counts.detections for counts in per_class.values()),
        sum(counts.actions for counts in per_class.values()),
    )
    return DetectionF1(per_class, overall)


def _overlaps(detections: np.ndarray, actions: np.ndarray, overlap: str) -> np.ndarray:
    if overlap == "ioa":
        return temporal_ioa(actions, detections).T
    return temporal_iou(detections, actions)
