"""Where MMAction2 keeps the weights of TimeSformer."""

from keras_video.models.timesformer.timesformer_sizes import timesformer_sizes
from keras_video.models.timesformer.torch_timesformer_map import torch_timesformer_map
from keras_video.presets.checkpoint_format import CheckpointFormat

OTHERS = {
    "class_token": "backbone.cls_token",
    "positions": "backbone.pos_embed",
    "times": "backbone.time_embed",
    "patches": "backbone.patch_embed.projection",
    "norm": "backbone.norm",
    "classifier": "cls_head.fc_cls",
}
MLP = {
    "mlp/expansion": "ffns.0.layers.0.0",
    "mlp/projection": "ffns.0.layers.1",
}
DIVIDED = {
    "attention/temporal_norm": "attentions.0.norm",
    "attention/temporal/qkv": "attentions.0.attn.in_proj_",
    "attention/temporal/projection": "attentions.0.attn.out_proj",
    "attention/temporal_dense": "attentions.0.temporal_fc",
    "attention/spatial_norm": "attentions.1.norm",
    "attention/spatial/qkv": "attentions.1.attn.in_proj_",
    "attention/spatial/projection": "attentions.1.attn.out_proj",
    "mlp/norm": "ffns.0.norm",
    **MLP,
}
UNDIVIDED = {
    "attention/norm": "norms.0",
    "attention/attention/qkv": "attentions.0.attn.in_proj_",
    "attention/attention/projection": "attentions.0.attn.out_proj",
    "mlp/norm": "norms.1",
    **MLP,
}


def mmaction2_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TimeSformer` to the tensors of an MMAction2 checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return torch_timesformer_map(model, *NAMES)


NAMES = OTHERS, "backbone.transformer_layers.layers.{}.", DIVIDED, UNDIVIDED
# As its programs prepare frames.
MMACTION2 = CheckpointFormat(
    mmaction2_map,
    defaults={"normalize": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))},
    sizes=timesformer_sizes(*NAMES),
)
