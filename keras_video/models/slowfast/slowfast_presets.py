"""Presets of SlowFast and SlowOnly.

`8x8` is 8 slow frames, every eighth of 64; `4x16` is 4, every sixteenth. A name without a world is
PaddleVideo's; the others end in whose weights they are.
"""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.models.published import published_preset
from keras_video.presets.card_header import HOMEPAGE
from keras_video.presets.preset import Preset

# Ten clips, each judged at three places.
THIRTY_VIEWS = {
    "num_frames": 32,
    "sampling": "slowfast",
    "num_clips": 10,
    "short_side": 256,
    "crop_size": 256,
    "crop": "uniform",
}
SMALL_VIEWS = {**THIRTY_VIEWS, "short_side": 224, "crop_size": 224}
# PySlowFast, which PyTorchVideo is measured with too, resizes as torch does.
TORCH = {"interpolation": "opencv_linear"}
# MMAction2: frames are counted, whatever a video's frame rate.
MMACTION2 = {"sampling": "dense", **TORCH, "rounding": "nearest"}
FRAMES = {"8x8": 8, "4x16": 4}
CAFFE2 = (
    "The network is tested with random weights against PySlowFast, the names of the file's tensors "
    f"against a list of them ([tests/golden]({HOMEPAGE}/tree/main/tests/golden)); the file is not."
)


def slowfast_config(clip: str, depth: int = 50, fusion_kernel: int | None = None) -> dict:
    """The arguments of `SlowFast` for 8x8 or 4x16, where they aren't its defaults."""
    alpha = {"8x8": 4, "4x16": 8}[clip]
    kernel = fusion_kernel or {"8x8": 7, "4x16": 5}[clip]
    config = {"num_classes": 400, "alpha": alpha, "fusion_kernel": kernel}
    return config if depth == 50 else {**config, "depth": depth}


PADDLEVIDEO = [
    paddlevideo_preset(
        name=f"slowfast_{clip}_k400",
        model="SlowFast",
        description=f"SlowFast {clip}, ResNet-50{remark}.",
        config=slowfast_config(clip),
        preprocessor=preprocessor,
        url=f"PaddleVideo/SlowFast/{file}",
        metrics={"top1": top1, "top5": top5},
        docs="recognition/slowfast.md",
        parameters=parameters,
        recipe=f"slowfast_{recipe}",
        limits=("PaddleVideo's copy of Kinetics-400 lacked about 5 % of the videos.",),
    )
    for clip, remark, recipe, preprocessor, file, top1, top5, parameters in (
        ("4x16", "", "4x16_k400", THIRTY_VIEWS, "SlowFast.pdparams", 74.35, 91.33, 34_480_216),
        (
            "8x8",
            ", multigrid training",
            "8x8_k400_multigrid",
            SMALL_VIEWS,
            "SlowFast_8*8.pdparams",
            75.84,
            92.33,
            34_566_488,
        ),
    )
]


def pyslowfast_preset(name: str, clip: str, url: str, top1: float, top5: float, **fields) -> Preset:
    return published_preset(
        "pyslowfast",
        name=name,
        model="SlowFast",
        config=slowfast_config(clip),
        url=url,
        top1=top1,
        top5=top5,
        parameters=34_566_488 if clip == "8x8" else 34_480_216,
        **fields,
    )


PYSLOWFAST = [
    *(
        pyslowfast_preset(
            f"slowfast_{clip}_k400_pyslowfast",
            clip,
            f"model_zoo/kinetics400/SLOWFAST_{clip}_R50.pkl",
            top1,
            top5,
            description=f"SlowFast {clip}, ResNet-50, of its authors.",
            preprocessor={**THIRTY_VIEWS, **TORCH},
            source_format="caffe2",
            conversion_note=CAFFE2,
            recipe="slowfast_8x8_k400" if clip == "8x8" else None,
        )
        for clip, top1, top5 in (("4x16", 75.6, 92.0), ("8x8", 77.0, 92.6))
    ),
    *(
        pyslowfast_preset(
            f"slowfast_8x8_k400_{schedule}_pyslowfast",
            "8x8",
            f"pyslowfast/model_zoo/multigrid/model_zoo/Kinetics/SLOWFAST_8x8_R50_{file}.pkl",
            top1,
            92.7,
            description=f"SlowFast 8x8, ResNet-50, of its authors, {training}.",
            preprocessor={**SMALL_VIEWS, **TORCH},
        )
        for schedule, file, training, top1 in (
            ("stepwise", "stepwise", "learning rate in steps", 76.8),
            ("multigrid", "stepwise_multigrid", "multigrid training", 76.6),
        )
    ),
    *(
        published_preset(
            "pyslowfast",
            name=f"slow_only_{clip}_k400_pyslowfast",
            model="SlowOnly",
            description=f"SlowOnly {clip}, ResNet-50, of its authors.",
            config={"num_classes": 400, "num_frames": FRAMES[clip]},
            preprocessor={
                **THIRTY_VIEWS,
                **TORCH,
                "num_frames": FRAMES[clip],
                "sampling": f"slowfast:{64 // FRAMES[clip]}",
            },
            url=f"model_zoo/kinetics400/SLOWONLY_{clip}_R50.pkl",
            source_format="caffe2",
            conversion_note=CAFFE2,
            recipe="slow_only_8x8_k400" if clip == "8x8" else None,
            top1=top1,
            top5=top5,
            parameters=32_454_096,
        )
        for clip, top1, top5 in (("4x16", 72.7, 90.3), ("8x8", 74.8, 91.6))
    ),
]

PYTORCHVIDEO = [
    *(
        published_preset(
            "pytorchvideo",
            name=f"{name}_pytorchvideo",
            model="SlowFast",
            description=f"SlowFast {clip}, ResNet-{depth}, of PyTorchVideo.",
            config={**slowfast_config(clip, depth, kernel), "average": "logits"},
            preprocessor={**THIRTY_VIEWS, **TORCH},
            url=f"SLOWFAST_{clip}_R{depth}.pyth",
            top1=top1,
            top5=top5,
            parameters=parameters,
        )
        for name, clip, depth, kernel, top1, top5, parameters in (
            ("slowfast_4x16_k400", "4x16", 50, 5, 75.34, 91.89, 34_480_216),
            ("slowfast_8x8_k400", "8x8", 50, 7, 76.94, 92.69, 34_566_488),
            ("slowfast_101_8x8_k400", "8x8", 101, 5, 77.90, 93.27, 62_826_968),
        )
    ),
    *(
        published_preset(
            "pytorchvideo",
            name=f"slow_only_{clip}_k400_pytorchvideo",
            model="SlowOnly",
            description=f"SlowOnly {clip}, ResNet-50, of PyTorchVideo.",
            config={"num_classes": 400, "num_frames": FRAMES[clip], "average": "logits"},
            preprocessor={
                **THIRTY_VIEWS,
                **TORCH,
                "num_frames": FRAMES[clip],
                "sampling": f"slowfast:{64 // FRAMES[clip]}",
            },
            url=f"SLOW_{clip}_R50.pyth",
            top1=top1,
            top5=top5,
            parameters=32_454_096,
        )
        for clip, top1, top5 in (("4x16", 72.40, 90.18), ("8x8", 74.58, 91.63))
    ),
]

# Whole frames are judged, whatever their size.
MMACTION2_CONFIG = {"normalize": "imagenet", "pool_size": None}
MMACTION2_SLOWFAST = {**MMACTION2_CONFIG, "slow_frames": "stride", "fusion_norm": False}
MMACTION2_PRESETS = [
    *(
        published_preset(
            "mmaction2",
            name=f"{name}_mmaction2",
            model="SlowFast",
            description=f"SlowFast {clip}, ResNet-{depth}{remark}, of MMAction2.",
            config={**slowfast_config(clip, depth), **MMACTION2_SLOWFAST},
            preprocessor={**THIRTY_VIEWS, **MMACTION2},
            url=f"slowfast/{file}/{file}_{date}.pth",
            metrics_source="slowfast/README.md",
            top1=top1,
            top5=top5,
            parameters=parameters,
        )
        for name, clip, depth, remark, file, date, top1, top5, parameters in (
            (
                "slowfast_4x16_k400",
                "4x16",
                50,
                "",
                "slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb",
                "20220901-701b0f6f",
                75.55,
                92.35,
                34_479_288,
            ),
            (
                "slowfast_8x8_k400",
                "8x8",
                50,
                "",
                "slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb",
                "20220818-1cb6dfc8",
                76.80,
                92.99,
                34_565_560,
            ),
            (
                "slowfast_8x8_k400_stepwise",
                "8x8",
                50,
                ", learning rate in steps",
                "slowfast_r50_8xb8-8x8x1-steplr-256e_kinetics400-rgb",
                "20220818-b62a501f",
                76.65,
                92.86,
                34_565_560,
            ),
            (
                "slowfast_101_8x8_k400",
                "8x8",
                101,
                "",
                "slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb",
                "20220901-9c0e09bd",
                78.65,
                93.88,
                62_912_312,
            ),
        )
    ),
    *(
        published_preset(
            "mmaction2",
            name=f"{name}_mmaction2",
            model="SlowOnly",
            description=f"SlowOnly {clip}, ResNet-{depth}{remark}, of MMAction2.",
            config={
                "num_classes": 400,
                "num_frames": FRAMES[clip],
                **({"depth": depth} if depth != 50 else {}),
                **MMACTION2_CONFIG,
            },
            preprocessor={**THIRTY_VIEWS, **MMACTION2, "num_frames": FRAMES[clip]},
            url=f"slowonly/{folder}/{file}.pth",
            metrics_source="slowonly/README.md",
            top1=top1,
            top5=top5,
            parameters=parameters,
        )
        for name, clip, depth, remark, folder, file, top1, top5, parameters in (
            (
                "slow_only_4x16_k400",
                "4x16",
                50,
                "",
                "slowonly_r50_8xb16-4x16x1-256e_kinetics400-rgb",
                "slowonly_r50_4x16x1_256e_8xb16_kinetics400-rgb_20220901-f6a40d08",
                72.97,
                90.88,
                32_454_096,
            ),
            (
                "slow_only_8x8_k400",
                "8x8",
                50,
                "",
                "slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb",
                "slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb_20220901-2132fc87",
                75.15,
                92.11,
                32_454_096,
            ),
            (
                "slow_only_101_8x8_k400",
                "8x8",
                101,
                "",
                "slowonly_r101_8xb16-8x8x1-196e_kinetics400-rgb",
                "slowonly_r101_8xb16-8x8x1-196e_kinetics400-rgb_20220901-e6281431",
                76.59,
                92.80,
                60_359_120,
            ),
            (
                "slow_only_4x16_k400_imagenet",
                "4x16",
                50,
                ", from ImageNet",
                "slowonly_imagenet-pretrained-r50_8xb16-4x16x1-steplr-150e_kinetics400-rgb",
                "slowonly_imagenet-pretrained-r50_8xb16-4x16x1-steplr-150e_kinetics400-rgb"
                "_20220901-e7b65fad",
                75.12,
                91.72,
                32_454_096,
            ),
            (
                "slow_only_8x8_k400_imagenet",
                "8x8",
                50,
                ", from ImageNet",
                "slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics400-rgb",
                "slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics400-rgb"
                "_20220901-df42dc84",
                76.45,
                92.55,
                32_454_096,
            ),
        )
    ),
]

PRESETS = [*PADDLEVIDEO, *PYSLOWFAST, *PYTORCHVIDEO, *MMACTION2_PRESETS]
