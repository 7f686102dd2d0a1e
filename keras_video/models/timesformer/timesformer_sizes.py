"""`timesformer_sizes`: what the tensors of a checkpoint tell of a TimeSformer's arguments."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from keras_video.presets.errors import PresetError

HIDDEN_DIM, NUM_HEADS = 768, 12
PROJECTIONS = ("attention/spatial/projection", "attention/attention/projection")


def timesformer_sizes(
    others: Mapping[str, str], block: str, divided: Mapping[str, str], undivided: Mapping[str, str]
) -> Callable[[Mapping, Mapping], dict]:
    """Makes the `sizes` of a `CheckpointFormat`, of the names that `torch_timesformer_map` takes.

    Args:
        others: names of `class_token`, `positions`, `times` and `patches`.
        block: what comes before the names of a block, with `{}` for its number from 0.
        divided: our layers within a block -> theirs, with divided attention.
        undivided: the same with joint or spatial attention.

    Returns:
        A function of the tensors and the caller's arguments. It returns `attention`, `num_frames`
        (unless attention is within frames only), `image_size`, `patch_size`, `hidden_dim`,
        `num_layers` and `mlp_ratio`, or nothing where the tensors are not of such a network.
    """

    def sizes(tensors: Mapping[str, np.ndarray], arguments: Mapping) -> dict:
        def shape(name: str) -> tuple[int, ...]:
            return np.shape(tensors[name]) if name in tensors else ()

        def within(number: int, layer: str) -> tuple[int, ...]:
            return shape(block.format(number) + parts[layer] + ".weight")

        temporal = f"{block.format(0)}{divided['attention/temporal_dense']}.weight"
        parts = divided if temporal in tensors else undivided
        projection = PROJECTIONS[0] if parts is divided else PROJECTIONS[1]
        hidden_dim, *rest = within(0, projection) or (0,)
        positions, patches = shape(others["positions"]), shape(f"{others['patches']}.weight")
        expansion = within(0, "mlp/expansion")
        # Each size is that of a matrix which is there, so that no file asks for more than it has.
        if (
            rest != [hidden_dim]
            or hidden_dim not in expansion
            or len(expansion) != 2
            or len(positions) != 3
            or positions[2] != hidden_dim
            or patches[:2] != (hidden_dim, 3)
            or len(patches) != 4
            or 0 in (*positions, *patches, *expansion)
        ):
            return {}
        told = {
            "hidden_dim": hidden_dim,
            "num_layers": 1,
            "mlp_ratio": _ratio(math.prod(expansion) // hidden_dim, hidden_dim),
            "patch_size": patches[3],
            "image_size": math.isqrt(positions[1] - 1) * patches[3],
        }
        while within(told["num_layers"], projection) == (hidden_dim, hidden_dim):
            told["num_layers"] += 1
        times = shape(others["times"])
        told["attention"] = "joint_space_time" if times else "space_only"
        if parts is divided:
            told["attention"] = "divided_space_time"
        if len(times) == 3:
            told["num_frames"] = times[1]
        if told["hidden_dim"] != HIDDEN_DIM and not {"hidden_dim", "num_heads"} & set(arguments):
            raise PresetError(
                "num_heads can't be told from the tensors, and this network isn't of the size that "
                f"has {NUM_HEADS} of them: say num_heads=. Received: hidden_dim={hidden_dim}"
            )
        return told

    return sizes


def _ratio(size: int, base: int) -> float:
    """`size / base`, rounded so that `int(base * ratio)` is the size."""
    ratio = size / base
    return ratio if int(base * ratio) == size else math.nextafter(ratio, math.inf)
