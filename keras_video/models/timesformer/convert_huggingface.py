"""Where Hugging Face's transformers keep the weights of TimeSformer.

The names are those of the files on the Hub; transformers 5 has others in memory.
"""

from keras_video.models.timesformer.huggingface_folder import write_folder
from keras_video.models.timesformer.timesformer_sizes import timesformer_sizes
from keras_video.models.timesformer.torch_timesformer_map import torch_timesformer_map
from keras_video.presets.checkpoint_format import CheckpointFormat

OTHERS = {
    "class_token": "timesformer.embeddings.cls_token",
    "positions": "timesformer.embeddings.position_embeddings",
    "times": "timesformer.embeddings.time_embeddings",
    "patches": "timesformer.embeddings.patch_embeddings.projection",
    "norm": "timesformer.layernorm",
    "classifier": "classifier",
}
MLP = {
    "mlp/norm": "layernorm_after",
    "mlp/expansion": "intermediate.dense",
    "mlp/projection": "output.dense",
}
DIVIDED = {
    "attention/temporal_norm": "temporal_layernorm",
    "attention/temporal/qkv": "temporal_attention.attention.qkv",
    "attention/temporal/projection": "temporal_attention.output.dense",
    "attention/temporal_dense": "temporal_dense",
    "attention/spatial_norm": "layernorm_before",
    "attention/spatial/qkv": "attention.attention.qkv",
    "attention/spatial/projection": "attention.output.dense",
    **MLP,
}
UNDIVIDED = {
    "attention/norm": "layernorm_before",
    "attention/attention/qkv": "attention.attention.qkv",
    "attention/attention/projection": "attention.output.dense",
    **MLP,
}


def huggingface_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TimeSformer` to the tensors of a file of transformers.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return torch_timesformer_map(model, *NAMES)


NAMES = OTHERS, "timesformer.encoder.layer.{}.", DIVIDED, UNDIVIDED
HUGGINGFACE = CheckpointFormat(
    huggingface_map, sizes=timesformer_sizes(*NAMES), write_folder=write_folder
)
