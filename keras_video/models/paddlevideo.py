"""What the manifests of PaddleVideo's checkpoints share."""

from keras_video.models.published import (
    CLASS_LIMITS,
    GOLDEN,
    PAPERS,
    TWO_SECONDS,
    project_license_note,
)
from keras_video.presets.preset import Preset

HOST = "https://videotag.bj.bcebos.com/"
DOCS = "https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/"
LICENSE_NOTE = project_license_note("PaddleVideo")


def paddlevideo_preset(
    *,
    model: str,
    url: str,
    docs: str,
    labels: str | None = "kinetics400",
    limits: tuple[str, ...] = (),
    **arguments,
) -> Preset:
    """The manifest of a checkpoint that PaddleVideo published.

    Args:
        model: name of the class in `keras_video.models`.
        url: where the checkpoint is, below `HOST`.
        docs: the page below `DOCS` that publishes it.
        labels: `"kinetics400"` (default), `"ucf101"`, or what `Preset` takes.
        limits: besides those of the class and the sampling.
        **arguments: further fields of `Preset`, such as `metrics={"top1": 74.54}`.
    """
    datasets = {"kinetics400": "Kinetics-400", "ucf101": "UCF101 (split 1)"}
    two_seconds = (arguments.get("preprocessor") or {}).get("sampling") in ("dense", "slowfast")
    fields = {
        "model": f"keras_video.models:{model}",
        "labels": labels,
        "dataset": datasets.get(labels),
        "source_url": HOST + url,
        "source_format": "paddlevideo",
        "metrics_source": DOCS + docs,
        "license": "apache-2.0",
        "license_note": LICENSE_NOTE,
        "paper": PAPERS.get(model),
        "conversion_note": GOLDEN,
        "limits": (
            *CLASS_LIMITS.get(model, ()),
            *((TWO_SECONDS,) if two_seconds else ()),
            *limits,
        ),
    }
    return Preset(**{**fields, **arguments})
