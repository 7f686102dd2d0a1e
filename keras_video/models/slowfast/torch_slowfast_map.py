"""`torch_slowfast_map`: what foreign checkpoints of SlowFast and SlowOnly have in common."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from keras_video.presets.checkpoint_format import TORCH_NORM

TORCH_SUFFIXES = {
    "kernel": ".weight",
    "bias": ".bias",
    **{f"norm/{ours}": f".{theirs}" for ours, theirs in TORCH_NORM.items()},
}


class Place(NamedTuple):
    """Where one of our convolutions is.

    Attributes:
        pathway: 0 for the slow one, 1 for the fast one.
        stage: 0 for the stem, then 1 to 4; of a connection, the stage after which it comes.
        block: within the stage, from 0.
        part: `"stem"`, `"fuse"`, `"shortcut"`, or `"a"`, `"b"`, `"c"` within a block.
    """

    pathway: int
    stage: int
    block: int
    part: str


def torch_slowfast_map(
    model,
    names: Callable[[Place], tuple[str, str]],
    classifier: str,
    suffixes: Mapping[str, str] = TORCH_SUFFIXES,
    classifier_layout="dense_torch",
) -> dict[str, tuple]:
    """Maps the variables of a `SlowFast` or `SlowOnly` to tensors.

    Args:
        model: the model.
        names: takes a place and returns the names of the convolution and of its normalisation
            there.
        classifier: the name of the classifier there.
        suffixes: what follows these names for each of our variables.
        classifier_layout: of the classifier's kernel.
    """
    table = {
        "classifier/kernel": (classifier + suffixes["kernel"], classifier_layout),
        "classifier/bias": (classifier + suffixes["bias"], "same"),
    }
    for layer in model.backbone.layers:
        if not hasattr(layer, "kernel"):
            continue
        conv, norm = names(place_of(layer.name))
        table[f"{layer.name}/kernel"] = (conv + suffixes["kernel"], "conv3d")
        if hasattr(layer, "norm"):
            for ours in TORCH_NORM:
                path = f"norm/{ours}"
                table[f"{layer.name}/{path}"] = (norm + suffixes[path], "same")
    return table


def place_of(name: str) -> Place:
    """The place of a convolution of ours.

    >>> place_of("slow_stage3_block2_conv1")
    Place(pathway=0, stage=3, block=1, part='a')
    >>> place_of("fuse2")
    Place(pathway=1, stage=1, block=0, part='fuse')
    """
    if name.startswith("fuse"):
        return Place(1, int(name.removeprefix("fuse")) - 1, 0, "fuse")
    pathway, rest = name.split("_", 1)
    pathway = ("slow", "fast").index(pathway)
    if rest == "stem":
        return Place(pathway, 0, 0, "stem")
    stage, block, part = rest.split("_")
    part = part if part == "shortcut" else "abc"[int(part.removeprefix("conv")) - 1]
    stage, block = int(stage.removeprefix("stage")), int(block.removeprefix("block")) - 1
    return Place(pathway, stage, block, part)
