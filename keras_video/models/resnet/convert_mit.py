"""Where the authors of TSM keep its weights, and those of their TSN.

https://github.com/mit-han-lab/temporal-shift-module. The names are torchvision's.
"""

from keras_video.models.resnet.convert_torchvision import torchvision_names
from keras_video.models.resnet.torch_resnet_map import torch_classifier, torch_resnet_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat


def mit_tsn_map(model, shifted: bool = False) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSN` to the tensors of a checkpoint of TSM's authors.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return {
        **torch_resnet_map(model.backbone, mit_names, shifted),
        **torch_classifier("new_fc", shifted),
    }


def mit_tsm_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSM` to the tensors of a checkpoint of its authors."""
    return mit_tsn_map(model, shifted=True)


def mit_names(name: str) -> tuple[str, str]:
    """The names of one of our convolutions and its batch normalisation.

    >>> mit_names("stage3_block1_shortcut")
    ('base_model.layer3.0.downsample.0', 'base_model.layer3.0.downsample.1')
    """
    conv, norm = torchvision_names(name)
    return f"base_model.{conv}", f"base_model.{norm}"


MIT_TSN = CheckpointFormat(mit_tsn_map, ignored=(TORCH_COUNTERS,))
# The authors shift an eighth of the channels each way, whatever the number of frames.
MIT_TSM = CheckpointFormat(mit_tsm_map, ignored=(TORCH_COUNTERS,), arguments={"shift_ratio": 0.125})
