"""Presets of TimeSformer."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.presets.preset import Preset

PRESETS = [
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
    ),
    paddlevideo_preset(
        name="timesformer_k400",
        model="TimeSformer",
        description="TimeSformer, ViT-B/16, divided space-time attention, 8 frames in 8.5 seconds.",
        config={"num_classes": 400},
        preprocessor={
            "num_frames": 8,
            "sampling": "timesformer",
            "short_side": 224,
            "crop": "uniform",
            "interpolation": "opencv_linear",
        },
        url="PaddleVideo-release2.2/TimeSformer_k400.pdparams",
        metrics={"top1": 77.29},
        docs="recognition/timesformer.md",
        parameters=121_566_352,
    ),
]
