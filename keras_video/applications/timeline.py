"""`Timeline`: what an `ActionLocalizer` found in a video."""

import dataclasses
import json
import os
from pathlib import Path

from keras_video.localization.detection import Detection
from keras_video.localization.proposal import Proposal


@dataclasses.dataclass(frozen=True)
class Timeline:
    """The actions of a video, in the order of time.

    Attributes:
        video: the video's name.
        duration: seconds.
        detections: the actions; `score` is that of the class times the expected overlap.
        proposals: what was classified, best first.
        labels: names of the classes; their number is that of the background, 0, and what follows.
        class_scores: probability of each detection's class.
        iou_scores: expected overlap of each detection with an action.
        fps: steps a second, in which the reference counts its proposals.
    """

    video: str
    duration: float
    detections: tuple[Detection, ...]
    proposals: tuple[Proposal, ...]
    labels: tuple[str, ...]
    class_scores: tuple[float, ...]
    iou_scores: tuple[float, ...]
    fps: float

    def to_json(self) -> dict:
        """As PaddleVideo's FootballAction writes it, with times that are not rounded to seconds.

        `bmn_results` are in steps of `fps`, `action_results` in seconds.
        """
        numbers = {label: number for number, label in enumerate(self.labels, start=1)}
        return {
            "video_name": self.video,
            "duration": round(self.duration, 3),
            "fps": self.fps,
            "bmn_results": [
                {
                    "start": round(proposal.start * self.fps, 3),
                    "end": round(proposal.end * self.fps, 3),
                    "score": round(proposal.score, 6),
                }
                for proposal in self.proposals
            ],
            "action_results": [
                {
                    "start_time": round(detection.start, 3),
                    "end_time": round(detection.end, 3),
                    "label_id": numbers[detection.label],
                    "label_name": detection.label,
                    "classify_score": round(class_score, 6),
                    "iou_score": round(iou_score, 6),
                }
                for detection, class_score, iou_score in zip(
                    self.detections, self.class_scores, self.iou_scores, strict=True
                )
            ],
        }

    def save_plot(self, path: str | os.PathLike, actions=()) -> None:
        """Draws the timeline, a row for each class.

        Args:
            path: of a PNG, SVG or PDF file.
            actions: `localization.Action`s that are known, drawn above what was found.

        Raises:
            ImportError: matplotlib is not installed.
        """
        from keras_video.applications.timeline_plot import plot_timeline

        plot_timeline(self, path, actions)


def write_timelines(path: str | os.PathLike, timelines) -> None:
    """Writes results as a JSON list, whole or not at all."""
    from keras_video.data.whole_file import whole_file

    text = json.dumps([t.to_json() for t in timelines], indent=1, ensure_ascii=False)
    path = Path(os.path.expanduser(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
