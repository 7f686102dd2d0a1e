"""Where MMAction2 keeps the weights of TSN and TSM."""

from keras_video.models.resnet.torch_resnet_map import (
    block_and_part,
    torch_classifier,
    torch_resnet_map,
)
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat


def mmaction2_tsn_map(model, shifted: bool = False) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSN` to the tensors of an MMAction2 checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return {
        **torch_resnet_map(model.backbone, mmaction2_names, shifted),
        **torch_classifier("cls_head.fc_cls", shifted),
    }


def mmaction2_tsm_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSM` to the tensors of an MMAction2 checkpoint."""
    return mmaction2_tsn_map(model, shifted=True)


def mmaction2_names(name: str) -> tuple[str, str]:
    """MMAction2's names for one of our convolutions and its batch normalisation.

    >>> mmaction2_names("stage3_block1_shortcut")
    ('backbone.layer3.0.downsample.conv', 'backbone.layer3.0.downsample.bn')
    """
    block, part = block_and_part(name)
    part = f"backbone.{block}{'downsample' if part == 'shortcut' else part}"
    return f"{part}.conv", f"{part}.bn"


MMACTION2_TSN = CheckpointFormat(mmaction2_tsn_map, ignored=(TORCH_COUNTERS,))
# Its configs shift an eighth of the channels each way, whatever the number of frames.
MMACTION2_TSM = CheckpointFormat(
    mmaction2_tsm_map, ignored=(TORCH_COUNTERS,), arguments={"shift_ratio": 0.125}
)
