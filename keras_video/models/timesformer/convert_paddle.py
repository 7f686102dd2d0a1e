"""Where PaddleVideo keeps the weights of a TimeSformer."""

from keras_video.models.timesformer.timesformer_sizes import timesformer_sizes
from keras_video.presets.checkpoint_format import CheckpointFormat

# Our layers within a block -> the reference's; of norms, of matrices.
DIVIDED = {
    "attention/temporal_norm": "temporal_norm1",
    "attention/temporal/qkv": "temporal_attn.qkv",
    "attention/temporal/projection": "temporal_attn.proj",
    "attention/temporal_dense": "temporal_fc",
    "attention/spatial_norm": "norm1",
    "attention/spatial/qkv": "attn.qkv",
    "attention/spatial/projection": "attn.proj",
}
UNDIVIDED = {
    "attention/norm": "norm1",
    "attention/attention/qkv": "attn.qkv",
    "attention/attention/projection": "attn.proj",
}
MLP = {
    "mlp/norm": "norm2",
    "mlp/expansion": "mlp.fc1",
    "mlp/projection": "mlp.fc2",
}
EMBEDDING = {
    "class_token": "backbone.cls_token",
    "positions": "backbone.pos_embed",
    "times": "backbone.time_embed",
    "patches": "backbone.patch_embed.proj",
}
BLOCK = "backbone.blocks.{}."


def paddlevideo_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TimeSformer` to the tensors of a PaddleVideo checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    table = {
        f"embedding/{ours}": (EMBEDDING[ours], "same")
        for ours in ("class_token", "positions", "times")
        if ours != "times" or model.attention != "space_only"
    }
    table["embedding/patches/kernel"] = (f"{EMBEDDING['patches']}.weight", "conv2d")
    table["embedding/patches/bias"] = (f"{EMBEDDING['patches']}.bias", "same")
    layers = {"norm": "backbone.norm", "classifier": "head.fc"}
    attention = DIVIDED if model.attention == "divided_space_time" else UNDIVIDED
    for number in range(model.num_layers):
        for ours, theirs in {**attention, **MLP}.items():
            layers[f"block{number + 1}_{ours}"] = BLOCK.format(number) + theirs
    for ours, theirs in layers.items():
        if ours.endswith("norm"):
            table[f"{ours}/gamma"] = (f"{theirs}.weight", "same")
        else:
            table[f"{ours}/kernel"] = (f"{theirs}.weight", "dense")
        last = "beta" if ours.endswith("norm") else "bias"
        table[f"{ours}/{last}"] = (f"{theirs}.bias", "same")
    return table


PADDLEVIDEO = CheckpointFormat(
    paddlevideo_map,
    sizes=timesformer_sizes(EMBEDDING, BLOCK, {**DIVIDED, **MLP}, {**UNDIVIDED, **MLP}),
)
