"""Presets of TSN."""

from keras_video.models.paddlevideo import paddlevideo_preset

# 25 segments, ten crops: 250 images a video.
TEN_CROP = {
    "num_frames": 25,
    "sampling": "segment",
    "crop": "ten",
    "interpolation": "opencv_linear",
    "rounding": "nearest",
}

PRESETS = [
    paddlevideo_preset(
        name=name,
        model="TSN",
        description=f"TSN, ResNet-50, trained on {frames} frames of each video.",
        config={"num_classes": 400, "num_frames": 25},
        preprocessor=TEN_CROP,
        url=f"PaddleVideo-release2.2/{file}",
        metrics={"top1": top1},
        docs="recognition/tsn.md",
        parameters=24_327_632,
    )
    for name, frames, top1, file in (
        ("tsn_k400", 3, 69.81, "TSN_k400.pdparams"),
        ("tsn_k400_8", 8, 71.70, "TSN_k400_8.pdparams"),
    )
]
