"""Presets of PP-TSN."""

from keras_video.models.paddlevideo import paddlevideo_preset
from keras_video.models.pp_tsm.pp_tsm_presets import NOT_REPEATED
from keras_video.models.tsn.tsn_presets import TEN_CROP

PRESETS = [
    paddlevideo_preset(
        name=name,
        model="PPTSN",
        description=f"PP-TSN, ResNet-50-vd, trained on {frames} frames of each video{remark}.",
        config={"num_classes": 400, "num_frames": 25},
        preprocessor=TEN_CROP,
        url=f"PaddleVideo-release2.2/{file}",
        metrics={"top1": top1},
        docs="recognition/pp-tsn.md",
        parameters=24_346_864,
        recipe=recipe,
        limits=() if recipe else (NOT_REPEATED,),
    )
    for name, frames, remark, recipe, top1, file in (
        ("pp_tsn_k400", 3, "", "pp_tsn_k400", 73.68, "ppTSN_k400.pdparams"),
        ("pp_tsn_k400_8_distill", 8, ", distilled", None, 75.06, "ppTSN_k400_8.pdparams"),
    )
]
