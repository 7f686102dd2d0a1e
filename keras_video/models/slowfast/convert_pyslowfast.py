"""Where PySlowFast keeps the weights of SlowFast and Slow: in torch, and before that in Caffe2.

Most networks of its model zoo were trained in Caffe2; their files are pickles of blobs. A blob's
`_riv` is the running variance, though its name says inverse.
"""

import dataclasses

from keras_video.models.slowfast.pathway import BLOCKS
from keras_video.models.slowfast.torch_slowfast_map import Place, torch_slowfast_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat

CAFFE2_SUFFIXES = {
    "kernel": "_w",
    "bias": "_b",
    "norm/gamma": "_s",
    "norm/beta": "_b",
    "norm/moving_mean": "_rm",
    "norm/moving_variance": "_riv",
}
# What the solver keeps beside the weights.
CAFFE2_SOLVER = (r".*_momentum", "lr", "model_iter")


def pyslowfast_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `SlowFast` or `SlowOnly` to the tensors of a PySlowFast checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return torch_slowfast_map(model, pyslowfast_names, "head.projection")


def pyslowfast_names(place: Place) -> tuple[str, str]:
    """PySlowFast's names for one of our convolutions and its normalisation.

    >>> pyslowfast_names(Place(0, 3, 1, "a"))
    ('s4.pathway0_res1.branch2.a', 's4.pathway0_res1.branch2.a_bn')
    """
    pathway, stage, block, part = place
    stage = f"s{stage + 1}"
    if part == "fuse":
        return f"{stage}_fuse.conv_f2s", f"{stage}_fuse.bn"
    if part == "stem":
        return f"{stage}.pathway{pathway}_stem.conv", f"{stage}.pathway{pathway}_stem.bn"
    branch = "branch1" if part == "shortcut" else f"branch2.{part}"
    conv = f"{stage}.pathway{pathway}_res{block}.{branch}"
    return conv, f"{conv}_bn"


def caffe2_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `SlowFast` or `SlowOnly` to the blobs of PySlowFast's model zoo.

    Returns:
        `{variable path: (blob name, layout)}`, complete.
    """
    blocks = BLOCKS[model.depth]

    def names(place: Place) -> tuple[str, str]:
        return caffe2_names(place, blocks)

    return torch_slowfast_map(model, names, "pred", CAFFE2_SUFFIXES)


def caffe2_names(place: Place, blocks: tuple[int, ...]) -> tuple[str, str]:
    """The blobs of one of our convolutions and its normalisation, without their suffixes.

    Args:
        place: of the convolution.
        blocks: how many each stage has.

    >>> caffe2_names(Place(1, 1, 0, "fuse"), (3, 4, 6, 3))
    ('t_res2_2_branch2c_bn_subsample', 't_res2_2_branch2c_bn_subsample_bn')
    """
    pathway, stage, block, part = place
    prefix = "t_" if pathway else ""
    if part == "fuse":
        after = f"res{stage + 1}_{blocks[stage - 1] - 1}_branch2c_bn" if stage else "pool1"
        conv = f"t_{after}_subsample"
        return conv, f"{conv}_bn"
    if part == "stem":
        return f"{prefix}conv1", f"{prefix}res_conv1_bn"
    branch = "branch1" if part == "shortcut" else f"branch2{part}"
    conv = f"{prefix}res{stage + 1}_{block}_{branch}"
    return conv, f"{conv}_bn"


PYSLOWFAST_SLOW = CheckpointFormat(
    pyslowfast_map, ignored=(TORCH_COUNTERS,), state_key="model_state"
)
# The connections are normalised in all of its networks.
EVENLY = {"slow_frames": "linspace", "fusion_norm": True}
PYSLOWFAST_SLOWFAST = dataclasses.replace(PYSLOWFAST_SLOW, arguments=EVENLY)
CAFFE2_SLOW = CheckpointFormat(caffe2_map, ignored=CAFFE2_SOLVER)
CAFFE2_SLOWFAST = dataclasses.replace(CAFFE2_SLOW, arguments=EVENLY)
