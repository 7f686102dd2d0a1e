"""Presets of TSM."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.presets.preset import Preset

# Eight segment centres, short side 256, one centre crop.
ONE_VIEW = {"num_frames": 8, "sampling": "segment"}


def _ucf101(name: str, top1: float, file: str, precision: str) -> Preset:
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
    )


PRESETS = [
    # Config, preprocessor and labels are in the bundled directory.
    Preset(
        name="tsm_tiny_motion",
        model="keras_video.models:TSM",
        description="TSM, ResNet-18 of a quarter width, rendered motions; ships with the package.",
        dataset="rendered motions",
        metrics={"top1": 100.0},
        metrics_source="recipes/README.md",
        parameters=703_416,
        license="apache-2.0",
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
    ),
    _ucf101("tsm_ucf101", 94.42, "TSM_ucf101_nchw.pdparams", "in float32"),
    _ucf101("tsm_ucf101_amp", 94.40, "TSM_ucf101_amp_nchw.pdparams", "in mixed precision"),
    _ucf101(
        "tsm_ucf101_amp_nhwc",
        94.55,
        "TSM_ucf101_amp_nhwc.pdparams",
        "in mixed precision, channels last",
    ),
]
