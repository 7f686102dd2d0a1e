"""Presets of TimeSformer."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.models.published import (
    GOLDEN,
    LAYOUT,
    PAPERS,
    project_license_note,
    published_preset,
)
from keras_video.presets.preset import Preset

# Three places of one clip.
VIEWS = {"num_frames": 8, "short_side": 224, "crop": "uniform", "interpolation": "opencv_linear"}

PADDLEVIDEO = [
    Preset(
        name="vit_base_patch16_imagenet",
        model="keras_video.models:ViTBackbone",
        description="ViT-B/16, trained on images; initialises TimeSformer.",
        dataset="ImageNet-1k",
        source_url="https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/"
        "ViT_base_patch16_224_pretrained.pdparams",
        source_format="paddleclas",
        source_part="backbone",
        parameters=85_798_656,
        license="apache-2.0",
        license_note=project_license_note("PaddleClas"),
        task="image-feature-extraction",
        paper=PAPERS["ViTBackbone"],
        conversion_note=LAYOUT,
        limits=("It has no classifier: trainings start from it.",),
    ),
    paddlevideo_preset(
        name="timesformer_k400",
        model="TimeSformer",
        description="TimeSformer, ViT-B/16, divided space-time attention, 8 frames in 8.5 seconds.",
        config={"num_classes": 400},
        preprocessor={**VIEWS, "sampling": "timesformer"},
        url="PaddleVideo-release2.2/TimeSformer_k400.pdparams",
        metrics={"top1": 77.29},
        docs="recognition/timesformer.md",
        parameters=121_566_352,
        recipe="timesformer_k400",
        limits=("Other pages of PaddleVideo give 77.03 and 77.08 for it.",),
    ),
]

# Of its authors, in the repositories of transformers; they bring their labels.
HR_VIEWS = {**VIEWS, "num_frames": 16, "short_side": 448, "crop_size": 448}
FACEBOOK = [
    Preset(
        name=f"timesformer{'' if size == 'base' else '_hr'}_{data}_facebook",
        model="keras_video.models:TimeSformer",
        description=f"TimeSformer of its authors, {frames} frames of {side} pixels.",
        config={
            "num_classes": classes,
            **({} if size == "base" else {"num_frames": frames, "image_size": side}),
        },
        preprocessor={**views, "sampling": "segment" if data == "ssv2" else sampling},
        dataset=dataset,
        source_format="huggingface",
        metrics={"top1": top1, "top5": top5},
        metrics_source="https://github.com/facebookresearch/TimeSformer",
        parameters=parameters,
        license="cc-by-nc-4.0",
        license_note="Not for commercial use.",
        paper=PAPERS["TimeSformer"],
        conversion_note=GOLDEN,
        repository=f"facebook/timesformer-{size}-finetuned-{data}",
    )
    for size, views, frames, side, sampling in (
        ("base", VIEWS, 8, 224, "timesformer"),
        ("hr", HR_VIEWS, 16, 448, "timesformer:16"),
    )
    for of, data, dataset, classes, top1, top5, parameters in (
        ("base", "k400", "Kinetics-400", 400, 77.9, 93.2, 121_566_352),
        ("base", "k600", "Kinetics-600", 600, 79.1, 94.4, 121_720_152),
        ("base", "ssv2", "Something-Something V2", 174, 59.1, 85.6, 121_392_558),
        ("hr", "k400", "Kinetics-400", 400, 79.6, 94.0, 122_024_080),
        ("hr", "k600", "Kinetics-600", 600, 81.8, 95.8, 122_177_880),
        ("hr", "ssv2", "Something-Something V2", 174, 61.8, 86.9, 121_850_286),
    )
    if of == size
]

MMACTION2 = [
    published_preset(
        "mmaction2",
        name=f"timesformer{name}_k400_mmaction2",
        model="TimeSformer",
        description=f"TimeSformer, {what} attention, 8 frames in 8.5 seconds, of MMAction2.",
        config={
            "num_classes": 400,
            "attention": attention,
            "normalize": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
            "view_average": "probabilities",
        },
        # The middle of the video.
        preprocessor={**VIEWS, "sampling": "slowfast:32", "rounding": "nearest"},
        url=f"timesformer/{file}/{file}_20220815-{digest}.pth",
        metrics_source="timesformer/README.md",
        top1=top1,
        top5=top5,
        parameters=parameters,
    )
    for name, what, attention, run, digest, top1, top5, parameters in (
        ("", "divided", "divided_space_time", "divST", "a4d0d01f", 77.69, 93.45, 121_566_352),
        ("_joint", "joint", "joint_space_time", "jointST", "8022d1c0", 76.95, 93.28, 86_112_400),
        ("_space", "spatial", "space_only", "spaceOnly", "78f05367", 76.93, 92.88, 86_106_256),
    )
    for file in (f"timesformer_{run}_8xb8-8x32x1-15e_kinetics400-rgb",)
]

PRESETS = [*PADDLEVIDEO, *FACEBOOK, *MMACTION2]
