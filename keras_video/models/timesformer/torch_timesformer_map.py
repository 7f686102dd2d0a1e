"""`torch_timesformer_map`: what checkpoints of TimeSformer in torch have in common."""

from collections.abc import Mapping


def torch_timesformer_map(
    model,
    others: Mapping[str, str],
    block: str,
    divided: Mapping[str, str],
    undivided: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TimeSformer` to the tensors of a checkpoint in torch.

    Args:
        model: the model.
        others: names of `class_token`, `positions`, `times`, `patches`, `norm` and `classifier`.
        block: what comes before the names of a block, with `{}` for its number from 0.
        divided: our layers within a block -> theirs, with divided attention.
        undivided: the same with joint or spatial attention.
    """
    table = {}
    for name in ("class_token", "positions", "times"):
        if name != "times" or model.attention != "space_only":
            table[f"embedding/{name}"] = (others[name], "same")
    table["embedding/patches/kernel"] = (f"{others['patches']}.weight", "conv2d")
    table["embedding/patches/bias"] = (f"{others['patches']}.bias", "same")
    layers = {name: others[name] for name in ("norm", "classifier")}
    parts = divided if model.attention == "divided_space_time" else undivided
    for number in range(model.num_layers):
        for ours, theirs in parts.items():
            layers[f"block{number + 1}_{ours}"] = block.format(number) + theirs
    for ours, theirs in layers.items():
        # torch's own attention joins the names of its first product by an underscore.
        theirs = theirs if theirs.endswith("_") else f"{theirs}."
        first, last, layout = "kernel", "bias", "dense_torch"
        if ours.endswith("norm"):
            first, last, layout = "gamma", "beta", "same"
        table[f"{ours}/{first}"] = (f"{theirs}weight", layout)
        table[f"{ours}/{last}"] = (f"{theirs}bias", "same")
    return table
