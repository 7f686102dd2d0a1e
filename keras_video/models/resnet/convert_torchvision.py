"""Where torchvision keeps the weights of a ResNet, and whoever builds on it."""

from collections.abc import Callable

from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat, torch_norm


def torchvision_map(backbone) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `ResNetBackbone` to the tensors of a torchvision ResNet.

    Returns:
        `{variable path: (tensor name, layout)}`, complete but for the checkpoint's classifier.
    """
    return resnet_map(backbone, torchvision_names)


TORCHVISION = CheckpointFormat(torchvision_map, ignored=(TORCH_COUNTERS,))


def resnet_map(
    backbone, names: Callable[[str], tuple[str, str]], shifted: bool = False
) -> dict[str, tuple[str, str]]:
    """The map of a ResNet whose parts torch keeps.

    Args:
        backbone: a `ResNetBackbone`.
        names: takes the name of one of our convolutions and returns the names of the
            convolution and of its batch normalisation.
        shifted: whether the first convolution of every block lies inside a temporal shift whose
            directions are swapped, as in MIT's and MMAction2's TSM.
    """
    table = {}
    for layer in backbone.layers:
        if not hasattr(layer, "norm"):
            continue
        conv, norm = names(layer.name)
        if shifted and layer.name.endswith("_conv1"):
            table[f"{layer.name}/kernel"] = (f"{conv}.net.weight", "conv2d_swapped_shift")
        else:
            table[f"{layer.name}/kernel"] = (f"{conv}.weight", "conv2d")
        table |= torch_norm(f"{layer.name}/norm", norm)
    return table


def torchvision_names(name: str) -> tuple[str, str]:
    """torchvision's names for one of our convolutions and its batch normalisation.

    >>> torchvision_names("stage3_block2_conv1")
    ('layer3.1.conv1', 'layer3.1.bn1')
    """
    block, part = block_and_part(name)
    if part == "shortcut":
        return f"{block}downsample.0", f"{block}downsample.1"
    return block + part, block + part.replace("conv", "bn")


def block_and_part(name: str) -> tuple[str, str]:
    """Where torch's ResNets have one of our convolutions.

    >>> block_and_part("stage3_block2_shortcut")
    ('layer3.1.', 'shortcut')
    >>> block_and_part("stem_conv")
    ('', 'conv1')
    """
    if name.startswith("stem"):
        return "", "conv1" if name == "stem_conv" else name
    stage, block, part = name.split("_")
    return f"layer{stage.removeprefix('stage')}.{int(block.removeprefix('block')) - 1}.", part
