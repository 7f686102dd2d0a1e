"""What the manifests of other people's checkpoints have in common."""

from keras_video.presets.preset import Preset

GITHUB = "https://github.com/"
# Host of the checkpoints, page that publishes them, license, format.
WORLDS = {
    "mmaction2": (
        "https://download.openmmlab.com/mmaction/v1.0/recognition/",
        GITHUB + "open-mmlab/mmaction2/blob/main/configs/recognition/",
        "apache-2.0",
    ),
    "pyslowfast": (
        "https://dl.fbaipublicfiles.com/pyslowfast/",
        GITHUB + "facebookresearch/SlowFast/blob/main/MODEL_ZOO.md",
        "apache-2.0",
    ),
    "pytorchvideo": (
        "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/",
        GITHUB + "facebookresearch/pytorchvideo/blob/main/docs/source/model_zoo.md",
        "apache-2.0",
    ),
    "mit": (
        "https://hanlab18.mit.edu/projects/tsm/models/",
        GITHUB + "mit-han-lab/temporal-shift-module",
        "mit",
    ),
}


def published_preset(
    world: str, *, model: str, url: str, top1: float, top5: float | None = None, **arguments
) -> Preset:
    """The manifest of a checkpoint of Kinetics-400 that another project published.

    Args:
        world: a key of `WORLDS`.
        model: name of the class in `keras_video.models`.
        url: where the checkpoint is, below the world's host.
        top1: published accuracy in percent.
        top5: the same.
        **arguments: further fields of `Preset`; `metrics_source` is below the world's page.
    """
    host, page, license = WORLDS[world]
    fields = {
        "model": f"keras_video.models:{model}",
        "labels": "kinetics400",
        "dataset": "Kinetics-400",
        "source_url": host + url,
        "source_format": world,
        "metrics": {"top1": top1} if top5 is None else {"top1": top1, "top5": top5},
        "license": license,
        **arguments,
    }
    return Preset(**{**fields, "metrics_source": page + fields.get("metrics_source", "")})
