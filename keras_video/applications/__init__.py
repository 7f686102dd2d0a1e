"""Pipelines of several models, made of what everybody can call: tagging videos, finding actions."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ActionLocalizer": "action_localizer",
        "Application": "application",
        "ApplicationPreset": "application_preset",
        "NoSoundWarning": "video_tracks",
        "TagList": "tag_list",
        "TaggedVideo": "tag_list",
        "Timeline": "timeline",
        "VideoTag": "video_tag",
        "best_thresholds": "tag_thresholds",
        "tag_report": "tag_report",
        "train_action_localizer": "localizer_training",
        "train_video_tag": "tag_training",
        "write_action_clips": "action_clips",
    },
)
