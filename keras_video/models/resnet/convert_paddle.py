"""Where PaddleVideo and PaddleClas keep the weights of a ResNet."""

from keras_video.models.resnet.resnet_stages import STAGES

NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "_mean",
    "moving_variance": "_variance",
}


def paddlevideo_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `ResNetClassifier` to the tensors of a PaddleVideo checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    table = {
        "classifier/kernel": ("head.fc.weight", "dense"),
        "classifier/bias": ("head.fc.bias", "same"),
    }
    for path, (name, layout) in paddleclas_map(model.backbone).items():
        table[path] = (f"backbone.{name}", layout)
    return table


def paddleclas_map(backbone) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `ResNetBackbone` to the tensors of a PaddleClas checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete but for the checkpoint's classifier.
    """
    table = {}
    for layer in backbone.layers:
        if not hasattr(layer, "norm"):
            continue
        source = paddle_layer_name(layer.name, backbone.variant, backbone.depth)
        table[f"{layer.name}/kernel"] = (f"{source}._conv.weight", "conv2d")
        for ours, theirs in NORM_NAMES.items():
            table[f"{layer.name}/norm/{ours}"] = (f"{source}._batch_norm.{theirs}", "same")
    return table


def paddle_layer_name(name: str, variant: str, depth: int) -> str:
    """PaddleVideo's name for one of our convolutions.

    >>> paddle_layer_name("stage3_block2_conv1", "plain", 50)
    'res4b.conv0'
    >>> paddle_layer_name("stage3_block2_conv1", "vd", 50)
    'bb_2_1.conv0'
    """
    if name.startswith("stem"):
        return "conv" if variant == "plain" else f"conv1_{name[-1]}"
    stage, block, part = name.split("_", 2)
    stage, block = int(stage.removeprefix("stage")) - 1, int(block.removeprefix("block")) - 1
    part = "short" if part == "shortcut" else f"conv{int(part.removeprefix('conv')) - 1}"
    if variant == "vd":
        return f"bb_{stage}_{block}.{part}"
    letter = chr(ord("a") + block)
    if STAGES[depth][stage] > 8 and block > 0:
        letter = f"b{block}"
    return f"res{stage + 2}{letter}.{part}"
