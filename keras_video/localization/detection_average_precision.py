"""`detection_average_precision`: mAP of detected actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_video.localization.action import Action
from keras_video.localization.detection import Detection
from keras_video.localization.evaluated_videos import (
    DEFAULT_THRESHOLDS,
    best_first,
    by_label,
    check_videos,
    match_in_order,
)
from keras_video.localization.segments import checked_thresholds, times
from keras_video.localization.temporal_iou import temporal_iou


@dataclass(frozen=True)
class DetectionAveragePrecision:
    """Average precision of detections, from 0 to 1.

    Attributes:
        labels: the classes of the truth, sorted.
        thresholds: temporal IoUs, `(thresholds,)`.
        per_class: average precision, `(classes, thresholds)`.
        unknown_labels: classes of detections that the truth hasn't, sorted; they don't count.

    Example:

    >>> truth = {"a": [Action(0.0, 10.0, "run")]}
    >>> found = detection_average_precision({"a": [Detection(0.0, 8.0, 0.9, "run")]}, truth)
    >>> found.at(0.75), found.average
    (1.0, 0.7)
    """

    labels: tuple[str, ...]
    thresholds: np.ndarray
    per_class: np.ndarray
    unknown_labels: tuple[str, ...] = ()

    @property
    def per_threshold(self) -> np.ndarray:
        """mAP at each threshold, the mean over the classes: `(thresholds,)`."""
        return self.per_class.mean(axis=0)

    @property
    def average(self) -> float:
        """Average mAP: the mean over the thresholds."""
        return float(self.per_threshold.mean())

    def at(self, threshold: float) -> float:
        """mAP at one of the thresholds.

        Raises:
            ValueError: not one of the thresholds.
        """
        places = np.flatnonzero(np.isclose(self.thresholds, threshold))
        if not len(places):
            known = ", ".join(f"{value:g}" for value in self.thresholds)
            raise ValueError(f"The thresholds are {known}. Received: threshold={threshold!r}")
        return float(self.per_threshold[places[0]])


def detection_average_precision(
    detections: Mapping[str, Sequence[Detection]],
    truth: Mapping[str, Sequence[Action]],
    thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
) -> DetectionAveragePrecision:
    """mAP, equal to ActivityNet's official evaluation of detections.

    For each class, the detections of all videos are taken from the highest score down. One is right
    if it overlaps an action of its class by the threshold that no detection before it has found;
    it takes the one that it overlaps most. Precision is interpolated: at each recall the highest
    of that and all higher recalls counts.

    Args:
        detections: `{video: detections}` in any order. Those in videos without actions of their
            class, and in videos that the truth hasn't, are wrong.
        truth: `{video: actions}`.
        thresholds: temporal IoUs. Defaults to 0.5, 0.55, ..., 0.95.

    Returns:
        A `DetectionAveragePrecision`. A class without detections has 0. Detections of classes that
        the truth hasn't cost nothing; the result names these classes.

    Raises:
        ValueError: no actions, no video in common, or arguments of another form.

    Reference: https://github.com/activitynet/ActivityNet, `eval_detection.py`.

    Example:

    >>> truth = {"a": [Action(0.0, 10.0, "run")]}
    >>> twice = [Detection(0.0, 9.0, 0.5, "run"), Detection(30.0, 40.0, 0.9, "run")]
    >>> detection_average_precision({"a": twice}, truth, thresholds=[0.5]).average
    0.5
    """
    check_videos(detections, truth, (Detection,))
    thresholds = checked_thresholds(thresholds)
    true, detected = by_label(truth), by_label(detections)
    labels = tuple(sorted(true))
    per_class = np.array(
        [_average_precisions(detected.get(label, {}), true[label], thresholds) for label in labels]
    )
    unknown = tuple(sorted(set(detected) - set(true)))
    return DetectionAveragePrecision(labels, thresholds, per_class, unknown)


def _average_precisions(detected: dict, true: dict, thresholds: np.ndarray) -> np.ndarray:
    """Average precision of one class at each threshold."""
    if not detected:
        return np.zeros(len(thresholds))
    scores, right = [], []
    for video, found in detected.items():
        if video in true:
            found = best_first(found)
            overlaps = temporal_iou(times(found), times(true[video]))
            right.append(match_in_order(overlaps, thresholds))
        else:
            right.append(np.zeros((len(thresholds), len(found)), bool))
        scores += [detection.score for detection in found]
    order = np.argsort(-np.array(scores, np.float64), kind="stable")
    right = np.concatenate(right, axis=1)[:, order].cumsum(axis=1)
    precision = right / np.arange(1, right.shape[1] + 1)
    recall = right / sum(map(len, true.values()))
    interpolated = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.sum(np.diff(recall, prepend=0.0) * interpolated, axis=1)
