"""What the manifests of other people's checkpoints have in common."""

from keras_video.presets.card_header import HOMEPAGE
from keras_video.presets.preset import Preset

GITHUB = "https://github.com/"
# Class of a model -> its paper.
PAPERS = {
    "AttentionLSTM": "https://arxiv.org/abs/1711.09550",
    "BMN": "https://arxiv.org/abs/1907.09702",
    "ResNetBackbone": "https://arxiv.org/abs/1512.03385",
    "SlowFast": "https://arxiv.org/abs/1812.03982",
    "SlowOnly": "https://arxiv.org/abs/1812.03982",
    "TimeSformer": "https://arxiv.org/abs/2102.05095",
    "TSM": "https://arxiv.org/abs/1811.08383",
    "TSN": "https://arxiv.org/abs/1608.00859",
    "ViTBackbone": "https://arxiv.org/abs/2010.11929",
}
# What the tests say about a conversion: with golden files of the original program, or without.
GOLDEN = (
    "The conversion is tested with random weights in this layout, against the original program "
    f"([tests/golden]({HOMEPAGE}/tree/main/tests/golden)), not with this file."
)
LAYOUT = "The conversion is tested with random weights in this layout, not with this file."
# What a model's class does, whoever trained it.
_NO_ORDER = ("It averages over frames, in whatever order: what only the order tells, it misses.",)
CLASS_LIMITS = {"PPTSN": _NO_ORDER, "TSN": _NO_ORDER}
TWO_SECONDS = "A clip is 64 frames, two seconds of 30 a second: longer actions are seen in parts."
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
    sampling = str(arguments.get("preprocessor", {}).get("sampling"))
    two_seconds = sampling == "dense" or sampling.startswith("slowfast") and model != "TimeSformer"
    fields = {
        "model": f"keras_video.models:{model}",
        "labels": "kinetics400",
        "dataset": "Kinetics-400",
        "source_url": host + url,
        "source_format": world,
        "metrics": {"top1": top1} if top5 is None else {"top1": top1, "top5": top5},
        "license": license,
        "license_note": project_license_note("the project that published the weights"),
        "paper": PAPERS[model],
        "conversion_note": GOLDEN,
        "limits": (*CLASS_LIMITS.get(model, ()), *((TWO_SECONDS,) if two_seconds else ())),
        **arguments,
    }
    return Preset(**{**fields, "metrics_source": page + fields.get("metrics_source", "")})


def project_license_note(project: str) -> str:
    """What is known about weights that come without a licence of their own."""
    return f"That is the licence of {project}; none other is known for the weights."
