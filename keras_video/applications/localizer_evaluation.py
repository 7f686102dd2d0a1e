"""How good an `ActionLocalizer` is, and the thresholds with which it is best."""

from collections.abc import Sequence

import numpy as np

from keras_video._compat import make_flexible_function
from keras_video.applications.action_localizer import ActionLocalizer
from keras_video.applications.video_tracks import VideoTracks
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.average_recall import average_recall
from keras_video.localization.detection_f1 import DetectionF1, detection_f1
from keras_video.localization.proposal import Proposal
from keras_video.localization.windows import propose_in_windows


def report_rows(report: DetectionF1) -> dict[str, dict]:
    """Precision, recall, F1 and counts of each class, and of `"all"`, for JSON and tables."""
    return {
        label: {
            "precision": counts.precision,
            "recall": counts.recall,
            "f1": counts.f1,
            "right": counts.right,
            "detections": counts.detections,
            "actions": counts.actions,
        }
        for label, counts in {**report.per_class, "all": report.overall}.items()
    }


def recall_numbers(proposals: dict, truth: dict) -> dict[str, float]:
    """AR at 10 and 100 proposals a video, and AUC, in percent."""
    found = average_recall(proposals, truth)
    return {"auc": found.auc, "ar_10": found.at(10), "ar_100": found.at(100)}


def evaluate_tracks(
    localizer: ActionLocalizer, tracks: Sequence[VideoTracks], videos: Sequence[AnnotatedVideo]
) -> tuple[DetectionF1, dict[str, float]]:
    """F1 at tIoU 0.5, and the average recall of the proposals, in percent."""
    timelines = [localizer.localize_tracks(t, v.video) for t, v in zip(tracks, videos, strict=True)]
    truth = {video.video: video.actions for video in videos}
    report = detection_f1({t.video: t.detections for t in timelines}, truth)
    return report, recall_numbers({t.video: t.proposals for t in timelines}, truth)


def choose_thresholds(localizer, tracks, videos) -> dict[str, float]:
    """The pair of thresholds with the highest F1; of equal ones those in the middle."""
    detections = _all_detections(localizer, tracks, videos)
    truth = {video.video: video.actions for video in videos}
    grid = np.round(np.arange(0.05, 0.96, 0.05), 2)
    scores = np.array(
        [[_f1(detections, truth, lowest, least) for least in grid] for lowest in grid]
    )
    best = np.argwhere(scores >= scores.max() - 1e-12)
    middle = best[np.abs(best - best.mean(axis=0)).sum(axis=1).argmin()]
    return {
        "class_threshold": float(grid[middle[0]]),
        "iou_threshold": float(grid[middle[1]]),
    }


def _all_detections(localizer, tracks, videos) -> dict[str, list[tuple]]:
    """Of each video its detections, with both of their scores."""
    found = {}
    for track, video in zip(tracks, videos, strict=True):
        timeline = localizer.localize_tracks(track, video.video)
        found[video.video] = list(
            zip(timeline.detections, timeline.class_scores, timeline.iou_scores, strict=True)
        )
    return found


def _f1(detections, truth, class_threshold: float, iou_threshold: float) -> float:
    kept = {
        video: [d for d, score, iou in found if score >= class_threshold and iou >= iou_threshold]
        for video, found in detections.items()
    }
    return detection_f1(kept, truth).overall.f1


class RecallEvaluator:
    """The average recall of a proposer on whole videos."""

    numbers = ("auc", "ar_10", "ar_100")

    def __init__(self, model, tracks, videos):
        self._model, self._tracks, self._videos = model, tracks, videos
        self._predict = make_flexible_function(model)

    def evaluate(self) -> dict[str, float]:
        proposals = {}
        for track, video in zip(self._tracks, self._videos, strict=True):
            segments, scores = propose_in_windows(
                self._model, track.steps, score_threshold=0.0, predict=self._predict
            )
            segments = np.minimum(segments / track.fps, track.duration)
            proposals[video.video] = [
                Proposal(float(start), float(end), float(score))
                for (start, end), score in zip(segments, scores, strict=True)
            ]
        return recall_numbers(proposals, {v.video: v.actions for v in self._videos})


class F1Evaluator:
    """The F1 of a localizer, with the best thresholds."""

    numbers = ("f1",)

    def __init__(self, localizer, tracks, videos):
        self._localizer, self._tracks, self._videos = localizer, tracks, videos

    def evaluate(self) -> dict[str, float]:
        thresholds = choose_thresholds(self._localizer, self._tracks, self._videos)
        detections = _all_detections(self._localizer, self._tracks, self._videos)
        truth = {video.video: video.actions for video in self._videos}
        return {"f1": _f1(detections, truth, *thresholds.values())}
