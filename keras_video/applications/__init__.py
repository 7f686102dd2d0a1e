"""Pipelines of several models, made of what everybody can call: tagging whole videos."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Application": "application",
        "ApplicationPreset": "application_preset",
        "TagList": "tag_list",
        "TaggedVideo": "tag_list",
        "VideoTag": "video_tag",
        "best_thresholds": "tag_thresholds",
        "tag_report": "tag_report",
        "train_video_tag": "tag_training",
    },
)
