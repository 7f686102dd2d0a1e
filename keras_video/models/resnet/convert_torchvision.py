"""Where torchvision keeps the weights of a ResNet."""

from keras_video.models.resnet.torch_resnet_map import block_and_part, torch_resnet_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat


def torchvision_map(backbone) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `ResNetBackbone` to the tensors of a torchvision ResNet.

    Returns:
        `{variable path: (tensor name, layout)}`, complete but for the checkpoint's classifier.
    """
    return torch_resnet_map(backbone, torchvision_names)


TORCHVISION = CheckpointFormat(torchvision_map, ignored=(TORCH_COUNTERS,))


def torchvision_names(name: str) -> tuple[str, str]:
    """torchvision's names for one of our convolutions and its batch normalisation.

    >>> torchvision_names("stage3_block2_conv1")
    ('layer3.1.conv1', 'layer3.1.bn1')
    """
    block, part = block_and_part(name)
    if part == "shortcut":
        return f"{block}downsample.0", f"{block}downsample.1"
    return block + part, block + part.replace("conv", "bn")
