"""Where PaddleVideo keeps the weights of a BMN."""

from collections.abc import Callable, Mapping

from keras_video.presets.checkpoint_format import CheckpointFormat

# Our layers, PaddleVideo's, and the layout of the kernel.
LAYERS = {
    "base_conv1": ("b_conv1", "conv1d"),
    "base_conv2": ("b_conv2", "conv1d"),
    "start_conv1": ("ts_conv1", "conv1d"),
    "start_conv2": ("ts_conv2", "conv1d"),
    "end_conv1": ("te_conv1", "conv1d"),
    "end_conv2": ("te_conv2", "conv1d"),
    "proposal_conv": ("p_conv1", "conv1d"),
    "boundary_matching": ("p_conv3d1", "conv3d"),
    "map_conv1": ("p_conv2d1", "conv2d"),
    "map_conv2": ("p_conv2d2", "conv2d"),
    "map_conv3": ("p_conv2d3", "conv2d"),
    "map_conv4": ("p_conv2d4", "conv2d"),
}


def bmn_map(name_of: Callable[[str], str]) -> dict[str, tuple[str, str]]:
    """The table of a program that names the layers otherwise: PaddleVideo's name -> its name."""
    table = {}
    for ours, (name, layout) in LAYERS.items():
        theirs = name_of(name)
        table[f"{ours}/kernel"] = (f"{theirs}.weight", layout)
        table[f"{ours}/bias"] = (f"{theirs}.bias", "same")
    return table


def bmn_sizes(tensors: Mapping, name_of: Callable[[str], str]) -> dict:
    """What the shapes tell of the model's arguments; nothing where tensors are missing."""
    wanted = ("b_conv1", "p_conv1", "p_conv3d1", "p_conv2d1")
    weights = [tensors.get(f"{name_of(name)}.weight") for name in wanted]
    if any(weight is None or weight.ndim < 3 for weight in weights):
        return {}
    first, proposal, segment, over_map = (weight.shape for weight in weights)
    return {
        "feature_dim": 4 * first[1],
        "hidden_dim": first[0],
        "proposal_dim": proposal[0],
        "segment_dim": segment[0],
        "num_samples": segment[2],
        "map_dim": over_map[0],
    }


def _name(name: str) -> str:
    return f"backbone.{name}"


PADDLEVIDEO = CheckpointFormat(
    lambda model: bmn_map(_name),
    arguments={"layout": "duration_start"},
    sizes=lambda tensors, given: bmn_sizes(tensors, _name),
)
