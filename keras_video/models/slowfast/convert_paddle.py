"""Where PaddleVideo keeps the weights of a SlowFast network."""

NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "_mean",
    "moving_variance": "_variance",
}


def paddlevideo_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `SlowFast` or `SlowOnly` to the tensors of a PaddleVideo checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    table = {
        "classifier/kernel": ("head.projection.weight", "dense"),
        "classifier/bias": ("head.projection.bias", "same"),
    }
    for layer in model.backbone.layers:
        if not hasattr(layer, "norm"):
            continue
        conv, norm = paddle_layer_names(layer.name)
        table[f"{layer.name}/kernel"] = (f"backbone.{conv}.weight", "conv3d")
        for ours, theirs in NORM_NAMES.items():
            table[f"{layer.name}/norm/{ours}"] = (f"backbone.{norm}.{theirs}", "same")
    return table


def paddle_layer_names(name: str) -> tuple[str, str]:
    """PaddleVideo's names for one of our convolutions and for its normalisation.

    >>> paddle_layer_names("slow_stage3_block2_conv1")
    ('s4.pathway0_res1.branch2.a', 's4.pathway0_res1.branch2.a_bn')
    """
    if name.startswith("fuse"):
        source = f"s{name.removeprefix('fuse')}_fuse"
        return f"{source}._conv_f2s", f"{source}._bn"
    pathway, part = name.split("_", 1)
    pathway = f"pathway{['slow', 'fast'].index(pathway)}"
    if part == "stem":
        return f"s1.{pathway}_stem._conv", f"s1.{pathway}_stem._bn"
    stage, block, part = part.split("_")
    stage = int(stage.removeprefix("stage")) + 1
    block = int(block.removeprefix("block")) - 1
    branch = "branch1" if part == "shortcut" else f"branch2.{'abc'[int(part[-1]) - 1]}"
    source = f"s{stage}.{pathway}_res{block}.{branch}"
    return source, f"{source}_bn"
