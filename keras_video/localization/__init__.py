"""Temporal action localization: where in a video something happens. NumPy, no Keras backend.

- `Action`, `AnnotatedVideo`: what people annotated; `Proposal`, `Detection`: what a model found
- `read_actions`, `read_activitynet`, `read_thumos14`: lists of annotated videos
- `rank_proposals`, `soft_nms`, `nms`: from a model's maps to the best segments
- `make_bmn_dataset`, `make_bmn_labels`: what such a model is trained on (the first needs Keras)
- `average_recall`, `detection_average_precision`, `detection_f1`: how good they are

Times are seconds, except in `rank_proposals` and `soft_nms`, whose segments are parts of the whole
video, from 0 to 1.
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Action": "action",
        "ActionListError": "action_list_error",
        "ActionListWarning": "action_list_error",
        "AnnotatedVideo": "annotated_video",
        "AverageRecall": "average_recall",
        "Detection": "detection",
        "DetectionAveragePrecision": "detection_average_precision",
        "DetectionF1": "detection_f1",
        "Proposal": "proposal",
        "average_recall": "average_recall",
        "boundary_peaks": "boundary_peaks",
        "detection_average_precision": "detection_average_precision",
        "detection_f1": "detection_f1",
        "make_bmn_dataset": "bmn_dataset",
        "make_bmn_labels": "bmn_labels",
        "nms": "nms",
        "plan_windows": "windows",
        "propose_in_windows": "windows",
        "propose_segments": "propose",
        "rank_proposals": "rank_proposals",
        "read_actions": "action_list",
        "read_activitynet": "activitynet",
        "read_activitynet_results": "activitynet",
        "read_thumos14": "thumos14",
        "soft_nms": "soft_nms",
        "temporal_ioa": "temporal_iou",
        "temporal_iou": "temporal_iou",
        "write_actions": "action_list",
        "write_activitynet_results": "activitynet",
    },
)
