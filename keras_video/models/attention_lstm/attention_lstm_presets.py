"""Presets of AttentionLSTM."""

from keras_video.models.paddlevideo import paddlevideo_preset

PRESETS = [
    paddlevideo_preset(
        name="attention_lstm_yt8m",
        model="AttentionLSTM",
        description="AttentionLSTM on the frame-level features of YouTube-8M, pictures and sound.",
        config={
            "num_classes": 3862,
            "features": {"rgb": 1024, "audio": 128},
            "feature_range": (-2.0, 2.0),
        },
        labels=None,
        dataset="YouTube-8M (2018)",
        url="PaddleVideo-release2.2/AttentionLSTM_yt8.pdparams",
        metrics={"hit_at_one": 89.05, "perr": 80.49, "gap": 86.30},
        docs="recognition/attention_lstm.md",
        parameters=108_720_920,
        recipe="attention_lstm_yt8m",
        limits=(
            "It takes YouTube-8M's features, 1024 of pictures and 128 of sound each second, not "
            "videos. Features of another network need another training.",
            "A video can have any number of its 3862 labels.",
            "The published numbers are means over batches; those of the whole set, as "
            "`keras_video.metrics` computes them, differ.",
        ),
    ),
]
