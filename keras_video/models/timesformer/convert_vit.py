"""Where PaddleClas, timm, Hugging Face and KerasHub keep the weights of an image ViT."""

import numpy as np

from keras_video.models.timesformer.convert_paddle import MLP, UNDIVIDED
from keras_video.models.timesformer.torch_timesformer_map import torch_timesformer_map

# Of each world: what is outside of the blocks, where the blocks are, what is within.
TIMM = (
    {
        "class_token": "cls_token",
        "positions": "pos_embed",
        "patches": "patch_embed.proj",
        "norm": "norm",
        "classifier": "head",
    },
    "blocks.{}.",
    {**UNDIVIDED, **MLP},
)
HUGGINGFACE = (
    {
        "class_token": "vit.embeddings.cls_token",
        "positions": "vit.embeddings.position_embeddings",
        "patches": "vit.embeddings.patch_embeddings.projection",
        "norm": "vit.layernorm",
        "classifier": "classifier",
    },
    "vit.encoder.layer.{}.",
    {
        "attention/norm": "layernorm_before",
        "attention/attention/qkv": "attention.attention.query|key|value",
        "attention/attention/projection": "attention.output.dense",
        "mlp/norm": "layernorm_after",
        "mlp/expansion": "intermediate.dense",
        "mlp/projection": "output.dense",
    },
)
# KerasHub numbers its blocks from 1.
KERAS_HUB = {
    "attention/norm": "ln_1",
    "attention/attention/qkv": "mha/query|key|value",
    "attention/attention/projection": "mha/attention_output",
    "mlp/norm": "ln_2",
    "mlp/expansion": "mlp/dense_1",
    "mlp/projection": "mlp/dense_2",
}


def timm_map(model) -> dict[str, tuple]:
    """Maps the variables of a `ViTBackbone` to the tensors of timm."""
    others, block, layers = TIMM
    return _without_classifier(torch_timesformer_map(model, others, block, {}, layers))


def paddleclas_map(model) -> dict[str, tuple]:
    """The same of PaddleClas: timm's names, and matrices the other way round."""
    turned = {"dense_torch": "dense"}
    return {
        path: (name, turned.get(layout, layout)) for path, (name, layout) in timm_map(model).items()
    }


def huggingface_map(model) -> dict[str, tuple]:
    """The same of transformers (`ViTForImageClassification`)."""
    others, block, layers = HUGGINGFACE
    table = torch_timesformer_map(model, others, block, {}, layers)
    return _without_classifier({path: (_each(name), how) for path, (name, how) in table.items()})


def keras_hub_map(model) -> dict[str, tuple]:
    """The same of KerasHub's `ViTBackbone`, as `keras_hub_tensors` gives them."""
    patches = "vit_patching_and_embedding"
    table = {
        "embedding/class_token": (f"{patches}/class_token", "same"),
        "embedding/positions": (f"{patches}/position_embedding/embeddings", "same"),
        "embedding/patches/kernel": (f"{patches}/patch_embedding/kernel", "same"),
        "embedding/patches/bias": (f"{patches}/patch_embedding/bias", "same"),
        "norm/gamma": ("vit_encoder/ln/gamma", "same"),
        "norm/beta": ("vit_encoder/ln/beta", "same"),
    }
    for number in range(1, model.num_layers + 1):
        for ours, theirs in KERAS_HUB.items():
            last = ("gamma", "beta") if ours.endswith("norm") else ("kernel", "bias")
            for part in last:
                name = f"vit_encoder/transformer_block_{number}/{theirs}/{part}"
                table[f"block{number}_{ours}/{part}"] = (_each(name), "same")
    return table


def keras_hub_tensors(model) -> dict[str, np.ndarray]:
    """The weights of a `keras_hub.models.ViTBackbone` or `ViTImageClassifier`, as matrices.

    Args:
        model: the model; the classifier's own weights are left out.

    Returns:
        `{variable path: array}`.
    """
    from keras_video.presets.weights import to_numpy

    tensors = {}
    for variable in getattr(model, "backbone", model).weights:
        array = to_numpy(variable)
        if "/mha/" in variable.path and variable.path.endswith("attention_output/kernel"):
            array = array.reshape(-1, array.shape[-1])
        elif "/mha/" in variable.path and variable.path.endswith("/kernel"):
            array = array.reshape(len(array), -1)
        elif "/mha/" in variable.path:
            array = array.reshape(-1)
        elif variable.path.endswith("position_embedding/embeddings"):
            array = array[None]
        tensors[variable.path] = array
    return tensors


def _each(name: str) -> str | tuple[str, ...]:
    """`a.query|key|value.b` as three names."""
    if "|" not in name:
        return name
    start, end = name.split("query|key|value")
    return tuple(f"{start}{part}{end}" for part in ("query", "key", "value"))


def _without_classifier(table: dict) -> dict:
    return {path: entry for path, entry in table.items() if not path.startswith("classifier/")}
