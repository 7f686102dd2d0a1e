"""Presets of PP-TSM."""

from keras_video.models.paddlevideo import paddlevideo_preset

# The reference trained and tested on frames squeezed to 4:3.
SQUEEZED = {"num_frames": 8, "aspect_ratio": 4 / 3}
# One view.
UNIFORM = {**SQUEEZED, "sampling": "uniform"}
# Ten clips, three crops: 30 views.
DENSE = {**SQUEEZED, "sampling": "dense", "num_clips": 10, "crop": "three"}

SQUEEZED_NOTE = "Frames are squeezed to 4:3, whatever their shape, as in training."
NOT_REPEATED = "No recipe here repeats its distillation."

PRESETS = [
    paddlevideo_preset(
        name=name,
        model="PPTSM",
        description=f"PP-TSM, ResNet-{depth}-vd, 8 frames, {style} sampling{remark}.",
        config={"num_classes": 400, "depth": depth},
        preprocessor=UNIFORM if style == "uniform" else DENSE,
        url=url,
        metrics={"top1": top1},
        docs="recognition/pp-tsm.md",
        parameters={50: 24_346_864, 101: 43_338_992}[depth],
        recipe=recipe,
        limits=(SQUEEZED_NOTE, *(() if recipe else (NOT_REPEATED,))),
    )
    for name, depth, style, remark, recipe, top1, url in (
        (
            "pp_tsm_k400",
            50,
            "uniform",
            "",
            "pp_tsm_k400_uniform",
            74.54,
            "PaddleVideo-release2.1/PPTSM/ppTSM_k400_uniform.pdparams",
        ),
        (
            "pp_tsm_k400_distill",
            50,
            "uniform",
            ", distilled",
            None,
            75.11,
            "PaddleVideo-release2.1/PPTSM/ppTSM_k400_uniform_distill.pdparams",
        ),
        (
            "pp_tsm_k400_dense",
            50,
            "dense",
            "",
            "pp_tsm_k400_dense",
            75.69,
            "PaddleVideo-release2.1/PPTSM/ppTSM_k400_dense.pdparams",
        ),
        (
            "pp_tsm_k400_dense_distill",
            50,
            "dense",
            ", distilled",
            None,
            76.16,
            "PaddleVideo-release2.1/PPTSM/ppTSM_k400_dense_distill.pdparams",
        ),
        (
            "pp_tsm_101_k400_distill",
            101,
            "uniform",
            ", distilled",
            None,
            76.35,
            "PaddleVideo-release2.2/ppTSM_k400_uniform_distill_r101.pdparams",
        ),
        (
            "pp_tsm_101_k400_dense",
            101,
            "dense",
            "",
            "pp_tsm_101_k400_dense",
            77.15,
            "PaddleVideo-release2.2/ppTSM_k400_dense_r101.pdparams",
        ),
    )
]
