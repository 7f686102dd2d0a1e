"""Presets of TSN."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.models.published import published_preset

# 25 segments, ten crops: 250 images a video.
TEN_CROP = {
    "num_frames": 25,
    "sampling": "segment",
    "crop": "ten",
    "interpolation": "opencv_linear",
    "rounding": "nearest",
}

PADDLEVIDEO = [
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
        recipe=recipe,
    )
    for name, frames, recipe, top1, file in (
        ("tsn_k400", 3, "tsn_k400", 69.81, "TSN_k400.pdparams"),
        ("tsn_k400_8", 8, None, 71.70, "TSN_k400_8.pdparams"),
    )
]

MMACTION2 = [
    published_preset(
        "mmaction2",
        name=f"{name}_mmaction2",
        model="TSN",
        description=f"TSN, ResNet-{depth}, trained on {frames}, of MMAction2.",
        config={"num_classes": 400, "num_frames": 25, **({"depth": 101} if depth == 101 else {})},
        preprocessor=TEN_CROP,
        url=f"tsn/{file}/{file}_20220906-{digest}.pth",
        metrics_source="tsn/README.md",
        top1=top1,
        top5=top5,
        parameters={50: 24_327_632, 101: 43_319_760}[depth],
    )
    for name, depth, frames, variant, digest, top1, top5 in (
        ("tsn_k400_3", 50, "3 frames of each video", "32-1x1x3", "cd10898e", 72.83, 90.65),
        ("tsn_k400_5", 50, "5 frames of each video", "32-1x1x5", "65d68713", 73.80, 91.21),
        ("tsn_k400_8", 50, "8 frames of each video", "32-1x1x8", "2692d16c", 74.12, 91.34),
        ("tsn_k400_dense", 50, "5 frames of 2 s", "32-dense-1x1x5", "dcbc6e01", 71.37, 89.67),
        ("tsn_101_k400_8", 101, "8 frames of each video", "32-1x1x8", "23cff032", 75.89, 92.07),
    )
    for file in (f"tsn_imagenet-pretrained-r{depth}_8xb{variant}-100e_kinetics400-rgb",)
]

MIT = [
    published_preset(
        "mit",
        name="tsn_k400_mit",
        model="TSN",
        description="TSN, ResNet-50, trained on 5 frames of each video, of TSM's authors.",
        config={"num_classes": 400, "num_frames": 8},
        preprocessor={"num_frames": 8, "sampling": "segment"},
        url="TSM_kinetics_RGB_resnet50_avg_segment5_e50.pth",
        top1=68.8,
        parameters=24_327_632,
    ),
]

PRESETS = [*PADDLEVIDEO, *MMACTION2, *MIT]
