"""Presets of TSM."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.models.published import PAPERS, published_preset
from keras_video.presets.preset import Preset

# Eight segment centres, short side 256, one centre crop.
ONE_VIEW = {"num_frames": 8, "sampling": "segment"}


def _ucf101(name: str, top1: float, file: str, precision: str, **fields) -> Preset:
    return paddlevideo_preset(
        name=name,
        model="TSM",
        description=f"TSM, ResNet-50, fine-tuned on UCF101 from Kinetics-400, {precision}.",
        config={"num_classes": 101, "dropout": 0.8},
        preprocessor=ONE_VIEW,
        labels="ucf101",
        url=f"PaddleVideo-release2.1/TSM/{file}",
        metrics={"top1": top1},
        docs="recognition/tsm.md",
        parameters=23_714_981,
        **fields,
    )


OWN = [
    # Config, preprocessor and labels are in the bundled directory.
    Preset(
        name="tsm_tiny_motion",
        model="keras_video.models:TSM",
        description="TSM, ResNet-18 of a quarter width, rendered motions; ships with the package.",
        dataset="rendered motions",
        metrics={"top1": 100.0},
        metrics_source="recipes/README.md",
        metrics_provenance="retrained",
        parameters=703_416,
        license="apache-2.0",
        paper=PAPERS["TSM"],
        recipe="tsm_motion",
        limits=(
            "It knows shapes that keras_video draws, and nothing of the world.",
            "An earlier version of the recipe trained it: the source of the results says what "
            "was different, and shows what the present one reaches.",
        ),
        bundled=True,
    ),
    paddlevideo_preset(
        name="tsm_k400",
        model="TSM",
        description="TSM, ResNet-50, 8 frames.",
        config={"num_classes": 400},
        preprocessor=ONE_VIEW,
        url="PaddleVideo-release2.1/TSM/TSM_k400.pdparams",
        metrics={"top1": 71.06},
        docs="recognition/tsm.md",
        parameters=24_327_632,
        recipe="tsm_k400",
        limits=("Another page of PaddleVideo gives 70.86 for it.",),
    ),
    _ucf101("tsm_ucf101", 94.42, "TSM_ucf101_nchw.pdparams", "in float32", recipe="tsm_ucf101"),
    _ucf101("tsm_ucf101_amp", 94.40, "TSM_ucf101_amp_nchw.pdparams", "in mixed precision"),
    _ucf101(
        "tsm_ucf101_amp_nhwc",
        94.55,
        "TSM_ucf101_amp_nhwc.pdparams",
        "in mixed precision, channels last",
    ),
]

# As MMAction2 resizes; eight segment centres or ten clips of 64 frames, ten crops.
MMACTION2_VIEWS = {
    "num_frames": 8,
    "sampling": "segment",
    "crop": "ten",
    "interpolation": "opencv_linear",
    "rounding": "nearest",
}
MMACTION2_DENSE = {**MMACTION2_VIEWS, "sampling": "dense", "num_clips": 10}
MMACTION2 = [
    published_preset(
        "mmaction2",
        name=f"{name}_mmaction2",
        model="TSM",
        description=f"TSM, ResNet-50, {what}, of MMAction2.",
        config={"num_classes": 400, **({"num_frames": frames} if frames != 8 else {})},
        preprocessor={**views, "num_frames": frames},
        url=f"tsm/{file}/{file}_20220831-{digest}.pth",
        metrics_source="tsm/README.md",
        top1=top1,
        top5=top5,
        parameters=24_327_632,
    )
    for name, frames, what, views, variant, digest, top1, top5 in (
        ("tsm_k400", 8, "50 epochs", MMACTION2_VIEWS, "1x1x8-50e", "64d69186", 73.18, 90.56),
        ("tsm_k400_100e", 8, "100 epochs", MMACTION2_VIEWS, "1x1x8-100e", "a6db1e5d", 73.22, 90.22),
        ("tsm_k400_16", 16, "16 frames", MMACTION2_VIEWS, "1x1x16-50e", "042b1748", 75.12, 91.55),
        (
            "tsm_k400_dense",
            8,
            "8 frames of 2 s",
            MMACTION2_DENSE,
            "dense-1x1x8-50e",
            "f55d3c2b",
            73.38,
            90.78,
        ),
    )
    for file in (f"tsm_imagenet-pretrained-r50_8xb16-{variant}_kinetics400-rgb",)
]

MIT_DENSE = {"sampling": "dense", "num_clips": 10, "crop": "three", "crop_size": 256}
MIT = [
    published_preset(
        "mit",
        name=f"{name}_mit",
        model="TSM",
        description=f"TSM, ResNet-50, {what}, of its authors.",
        config={"num_classes": 400, **({"num_frames": frames} if frames != 8 else {})},
        preprocessor={**ONE_VIEW, **views, "num_frames": frames},
        url=f"TSM_kinetics_RGB_resnet50_shift8_blockres_avg_segment{frames}_{run}.pth",
        top1=top1,
        parameters=24_327_632,
    )
    for name, frames, what, views, run, top1 in (
        ("tsm_k400", 8, "8 frames", {}, "e50", 71.2),
        ("tsm_k400_16", 16, "16 frames", {}, "e50", 72.6),
        ("tsm_k400_dense", 8, "8 frames of 2 s", MIT_DENSE, "e100_dense", 74.1),
    )
]

PRESETS = [*OWN, *MMACTION2, *MIT]
