"""Presets of BMN."""

from keras_video.models.paddlevideo import paddlevideo_preset

PRESETS = [
    paddlevideo_preset(
        name="bmn_activitynet",
        model="BMN",
        description="BMN on two-stream features of ActivityNet's videos, 100 steps each.",
        config={"feature_dim": 400, "num_frames": 100},
        labels=None,
        dataset="ActivityNet 1.3",
        url="PaddleVideo/BMN/BMN.pdparams",
        metrics={"auc": 67.23, "ar@1": 33.26, "ar@5": 49.48, "ar@10": 56.86, "ar@100": 75.19},
        docs="localization/bmn.md",
        parameters=2_782_980,
        task="temporal-action-localization",
        recipe="bmn_activitynet",
        limits=(
            "It takes features, 100 steps of 400 channels a video (PaddleVideo's two-stream TSN), "
            "not videos. Features of another network need another training.",
            "It says when something happens, not what.",
        ),
    ),
]
