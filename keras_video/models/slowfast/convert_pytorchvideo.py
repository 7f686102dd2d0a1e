"""Where PyTorchVideo keeps the weights of SlowFast and Slow."""

import dataclasses

from keras_video.models.slowfast.torch_slowfast_map import Place, torch_slowfast_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat


def pytorchvideo_slowfast_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `SlowFast` to the tensors of a PyTorchVideo checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """

    def names(place: Place) -> tuple[str, str]:
        return pytorchvideo_names(place, f"multipathway_blocks.{place.pathway}.")

    return torch_slowfast_map(model, names, "blocks.6.proj")


def pytorchvideo_slow_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `SlowOnly` to the tensors of a PyTorchVideo checkpoint."""
    return torch_slowfast_map(model, pytorchvideo_names, "blocks.5.proj")


def pytorchvideo_names(place: Place, pathway: str = "") -> tuple[str, str]:
    """PyTorchVideo's names for one of our convolutions and its normalisation.

    Args:
        place: of the convolution.
        pathway: what names the pathway within a stage.

    >>> pytorchvideo_names(Place(0, 3, 1, "a"))
    ('blocks.3.res_blocks.1.branch2.conv_a', 'blocks.3.res_blocks.1.branch2.norm_a')
    """
    stage = f"blocks.{place.stage}."
    if place.part == "fuse":
        return f"{stage}multipathway_fusion.conv_fast_to_slow", f"{stage}multipathway_fusion.norm"
    if place.part == "stem":
        return f"{stage}{pathway}conv", f"{stage}{pathway}norm"
    block = f"{stage}{pathway}res_blocks.{place.block}."
    if place.part == "shortcut":
        return f"{block}branch1_conv", f"{block}branch1_norm"
    return f"{block}branch2.conv_{place.part}", f"{block}branch2.norm_{place.part}"


# Its heads have no softmax before the mean over windows.
AVERAGES = {"average": "logits"}
PYTORCHVIDEO_SLOW = CheckpointFormat(
    pytorchvideo_slow_map,
    ignored=(TORCH_COUNTERS,),
    defaults=AVERAGES,
    state_key="model_state",
)
PYTORCHVIDEO_SLOWFAST = dataclasses.replace(
    PYTORCHVIDEO_SLOW,
    table=pytorchvideo_slowfast_map,
    arguments={"slow_frames": "linspace", "fusion_norm": True},
)
