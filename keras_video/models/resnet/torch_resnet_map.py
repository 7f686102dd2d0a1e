"""`torch_resnet_map`: what the checkpoints of ResNets in torch have in common."""

from collections.abc import Callable

import numpy as np

from keras_video.presets.checkpoint_format import torch_norm
from keras_video.presets.layouts import LAYOUTS, Layout


def torch_resnet_map(
    backbone, names: Callable[[str], tuple[str, str]], shifted: bool = False
) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `ResNetBackbone` to the tensors of a ResNet in torch.

    TSM's authors and MMAction2 take the first eighth of a block's input from the next frame and the
    second from the frame before; `TemporalShift` has it the other way round. Their weights compute
    the same here once these two groups of channels have changed places everywhere between the
    blocks: in what writes there (the stem, the last convolution of a block, the shortcut), and in
    what reads there (the first convolution of a block, the shortcut, the classifier).

    Args:
        backbone: a `ResNetBackbone`.
        names: takes the name of one of our convolutions and returns the names of the convolution
            and of its batch normalisation.
        shifted: whether the checkpoint is of a network with that shift, whose first convolutions
            lie inside of it.
    """
    last = "conv3" if backbone.depth >= 50 else "conv2"
    table = {}
    for layer in backbone.layers:
        if not hasattr(layer, "norm"):
            continue
        part = block_and_part(layer.name)[1]
        conv, norm = names(layer.name)
        reads = shifted and part in ("conv1", "shortcut") and not layer.name.startswith("stem")
        writes = shifted and (part in (last, "shortcut") or layer.name.startswith("stem"))
        if shifted and part == "conv1" and not writes:
            conv += ".net"
        table[f"{layer.name}/kernel"] = (f"{conv}.weight", _KERNELS[reads, writes])
        for path, (name, layout) in torch_norm(f"{layer.name}/norm", norm).items():
            table[path] = (name, _VECTOR if writes else layout)
    return table


def _swapped_eighths(size: int) -> np.ndarray:
    fold = size // 8
    order = np.arange(size)
    order[: 2 * fold] = np.roll(order[: 2 * fold], fold)
    return order


_INPUTS, _OUTPUTS = (-2, _swapped_eighths), (-1, _swapped_eighths)
_CONV = LAYOUTS["conv2d"].axes
# (reads from between the blocks, writes there) -> layout
_KERNELS = {
    (False, False): "conv2d",
    (True, False): Layout(_CONV, orders=(_INPUTS,)),
    (False, True): Layout(_CONV, orders=(_OUTPUTS,)),
    (True, True): Layout(_CONV, orders=(_INPUTS, _OUTPUTS)),
}
_VECTOR = Layout((0,), orders=(_OUTPUTS,))
_CLASSIFIER = Layout(LAYOUTS["dense_torch"].axes, orders=(_INPUTS,))


def torch_classifier(name: str, shifted: bool) -> dict[str, tuple[str, str]]:
    """The entries of the classifier after such a backbone."""
    return {
        "classifier/kernel": (
            f"{name}.weight",
            _CLASSIFIER if shifted else "dense_torch",
        ),
        "classifier/bias": (f"{name}.bias", "same"),
    }


def block_and_part(name: str) -> tuple[str, str]:
    """Where torch's ResNets have one of our convolutions.

    >>> block_and_part("stage3_block2_shortcut")
    ('layer3.1.', 'shortcut')
    >>> block_and_part("stem_conv")
    ('', 'conv1')
    """
    if name.startswith("stem"):
        return "", "conv1" if name == "stem_conv" else name
    stage, block, part = name.split("_")
    return f"layer{stage.removeprefix('stage')}.{int(block.removeprefix('block')) - 1}.", part
