"""The published VideoTag and its two models."""

from keras_video.applications.application_preset import ApplicationPreset
from keras_video.presets.preset import Preset

_SOURCE = "https://videotag.bj.bcebos.com"
_LABELS = (
    "https://raw.githubusercontent.com/PaddlePaddle/PaddleVideo/develop/applications/VideoTag/"
    "label_3396.txt"
)
_DATASET = "videos with 3396 Chinese tags"

PRESETS = [
    Preset(
        name="video_tag_3k_extractor",
        model="keras_video.models:ResNetBackbone",
        description="VideoTag's first stage: ResNet-101 of a TSN, 2048 features of a frame.",
        config={"depth": 101},
        preprocessor={
            "num_frames": 8,
            "sampling": "segment",
            "short_side": 256,
            "crop_size": 224,
            "aspect_ratio": 4 / 3,
        },
        dataset=_DATASET,
        source_url=f"{_SOURCE}/video_tag_tsn.tar",
        source_format="videotag",
        parameters=42_500_160,
        license="apache-2.0",
    ),
    Preset(
        name="video_tag_3k_predictor",
        model="keras_video.models:AttentionLSTM",
        description="VideoTag's second stage: AttentionLSTM on 300 steps, 3396 tags.",
        config={
            "num_classes": 3396,
            "features": {"rgb": 2048},
            "embedding_dim": 1024,
            "lstm_dim": 512,
            "peepholes": True,
            "attention_bias": False,
            "feature_range": None,
        },
        labels_url=_LABELS,
        dataset=_DATASET,
        source_url=f"{_SOURCE}/video_tag_lstm.tar",
        source_format="videotag",
        parameters=64_266_564,
        license="apache-2.0",
    ),
]

APPLICATIONS = [
    ApplicationPreset(
        name="video_tag_3k",
        application="VideoTag",
        parts={"extractor": "video_tag_3k_extractor", "predictor": "video_tag_3k_predictor"},
        settings={"extraction": {"frames": 300}},
        description="3396 Chinese tags for whole videos (PaddleVideo's VideoTag).",
        license="apache-2.0",
    ),
]
