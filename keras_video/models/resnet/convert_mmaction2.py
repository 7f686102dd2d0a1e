"""Where MMAction2 keeps the weights of TSN and TSM."""

from keras_video.models.resnet.convert_torchvision import block_and_part, resnet_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat


def mmaction2_tsn_map(model, shifted: bool = False) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSN` to the tensors of an MMAction2 checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return {
        "classifier/kernel": ("cls_head.fc_cls.weight", "dense_torch"),
        "classifier/bias": ("cls_head.fc_cls.bias", "same"),
        **resnet_map(model.backbone, mmaction2_names, shifted),
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
MMACTION2_TSM = CheckpointFormat(
    mmaction2_tsm_map, ignored=(TORCH_COUNTERS,), arguments={"shift_ratio": 0.125}
)
