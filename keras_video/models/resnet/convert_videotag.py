"""Where PaddleVideo's application VideoTag keeps the weights of its TSN."""

from keras_video.models.resnet.convert_paddle import paddle_layer_name
from keras_video.presets.checkpoint_format import CheckpointFormat

NORM_NAMES = {
    "gamma": "scale",
    "beta": "offset",
    "moving_mean": "mean",
    "moving_variance": "variance",
}
PARTS = {"conv0": "branch2a", "conv1": "branch2b", "conv2": "branch2c", "short": "branch1"}


def videotag_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TSN` to the tensors of VideoTag's extractor.

    A checkpoint that only extracts features has no classifier: convert it with `part="backbone"`.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return {
        **videotag_backbone_map(model.backbone),
        "classifier/kernel": ("fc_0.w_0", "dense"),
        "classifier/bias": ("fc_0.b_0", "same"),
    }


def videotag_backbone_map(backbone) -> dict[str, tuple[str, str]]:
    """As `videotag_map`, for a `ResNetBackbone`, which has no classifier."""
    table = {}
    for layer in backbone.layers:
        if not hasattr(layer, "norm"):
            continue
        conv, norm = videotag_layer_names(layer.name, backbone.depth)
        table[f"{layer.name}/kernel"] = (f"{conv}_weights", "conv2d")
        for ours, theirs in NORM_NAMES.items():
            table[f"{layer.name}/norm/{ours}"] = (f"{norm}_{theirs}", "same")
    return table


# Of VideoTag's first stage, which only extracts features.
VIDEOTAG_BACKBONE = CheckpointFormat(videotag_backbone_map, ignored=(r"fc_0\.[wb]_0",))


def videotag_layer_names(name: str, depth: int) -> tuple[str, str]:
    """VideoTag's names for one of our convolutions and its batch normalisation.

    >>> videotag_layer_names("stage3_block2_conv1", 101)
    ('res4b1_branch2a', 'bn4b1_branch2a')
    """
    if name.startswith("stem"):
        return "conv1", "bn_conv1"
    block, part = paddle_layer_name(name, "plain", depth).split(".")
    conv = f"{block}_{PARTS[part]}"
    return conv, f"bn{conv.removeprefix('res')}"
