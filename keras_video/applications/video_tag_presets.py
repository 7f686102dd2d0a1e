"""The published VideoTag and its two models."""

from keras_video.applications.application_preset import ApplicationPreset
from keras_video.models.published import LAYOUT, PAPERS, project_license_note
from keras_video.presets.preset import Preset

_SOURCE = "https://videotag.bj.bcebos.com"
_LABELS = (
    "https://raw.githubusercontent.com/PaddlePaddle/PaddleVideo/develop/applications/VideoTag/"
    "label_3396.txt"
)
_DATASET = "videos with 3396 Chinese tags"
_LICENSE_NOTE = project_license_note("PaddleVideo")
_UNKNOWN_VIDEOS = "Which videos it was trained on is not published."

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
        license_note=_LICENSE_NOTE,
        task="image-feature-extraction",
        paper=PAPERS["ResNetBackbone"],
        conversion_note=LAYOUT,
        limits=(
            "It has no classifier: its features are for `video_tag_3k_predictor`.",
            _UNKNOWN_VIDEOS,
        ),
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
        license_note=_LICENSE_NOTE,
        paper=PAPERS["AttentionLSTM"],
        conversion_note=LAYOUT,
        limits=(
            "It takes features of `video_tag_3k_extractor`, 300 steps of 2048, not videos.",
            "A video can have any number of its 3396 tags; ten names stand for two of them each.",
            _UNKNOWN_VIDEOS,
        ),
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
        license_note=_LICENSE_NOTE,
        dataset=_DATASET,
        limits=(
            "A video can have any number of tags; ten names stand for two tags each.",
            _UNKNOWN_VIDEOS,
            "No published result is known.",
        ),
    ),
]
