"""Presets of `ResNetBackbone`: the image networks that video models are initialised from."""

from keras_video.models.paddlevideo import HOST
from keras_video.models.published import LAYOUT, PAPERS, project_license_note
from keras_video.presets.preset import Preset

PRESETS = [
    Preset(
        name=name,
        model="keras_video.models:ResNetBackbone",
        description=f"{network}, trained on images{remark}; initialises {users}.",
        config={"depth": depth, "variant": variant, "num_frames": 1},
        dataset="ImageNet-1k",
        source_url=HOST + url,
        source_format="paddleclas",
        source_part="backbone",
        parameters=parameters,
        license="apache-2.0",
        license_note=project_license_note("PaddleClas"),
        task="image-feature-extraction",
        paper=PAPERS["ResNetBackbone"],
        conversion_note=LAYOUT,
        limits=("It has no classifier: trainings start from it.",),
    )
    for name, network, depth, variant, remark, users, parameters, url in (
        (
            "resnet50_imagenet",
            "ResNet-50",
            50,
            "plain",
            "",
            "TSN and TSM",
            23_508_032,
            "PaddleVideo/PretrainModel/ResNet50_pretrain.pdparams",
        ),
        (
            "resnet50_vd_ssld_v2",
            "ResNet-50-vd",
            50,
            "vd",
            " by distillation (SSLD v2)",
            "PP-TSN and PP-TSM",
            23_527_264,
            "PaddleVideo/PretrainModel/ResNet50_vd_ssld_v2_pretrained.pdparams",
        ),
        (
            "resnet101_vd_ssld",
            "ResNet-101-vd",
            101,
            "vd",
            " by distillation (SSLD)",
            "PP-TSM of depth 101",
            42_519_392,
            "PaddleVideo-release2.2/ResNet101_vd_ssld_pretrained.pdparams",
        ),
    )
]
