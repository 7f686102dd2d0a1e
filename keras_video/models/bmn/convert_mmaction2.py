"""Where MMAction2, and the first published code, keep the weights of a BMN."""

from collections.abc import Mapping

from keras_video.models.bmn.convert_paddle import bmn_map, bmn_sizes
from keras_video.presets.checkpoint_format import CheckpointFormat

NAMES = {
    "b_conv1": "x_1d_b.0",
    "b_conv2": "x_1d_b.2",
    "ts_conv1": "x_1d_s.0",
    "ts_conv2": "x_1d_s.2",
    "te_conv1": "x_1d_e.0",
    "te_conv2": "x_1d_e.2",
    "p_conv1": "x_1d_p.0",
    "p_conv3d1": "x_3d_p.0",
    "p_conv2d1": "x_2d_p.0",
    "p_conv2d2": "x_2d_p.2",
    "p_conv2d3": "x_2d_p.4",
    "p_conv2d4": "x_2d_p.6",
}


def _sizes(tensors: Mapping, given: Mapping) -> dict:
    sizes = bmn_sizes(tensors, NAMES.__getitem__)
    mask = tensors.get("sample_mask")
    if sizes and mask is not None and mask.ndim == 2 and mask.shape[0]:
        # (steps, samples * durations * steps)
        steps = mask.shape[0]
        sizes["num_frames"] = steps
        sizes["max_duration"] = mask.shape[1] // (sizes["num_samples"] * steps)
    return sizes


def _format(layout: str, constants: tuple[str, ...]) -> CheckpointFormat:
    return CheckpointFormat(
        lambda model: bmn_map(NAMES.__getitem__),
        # What follows from the geometry; ours is never written down.
        ignored=constants,
        arguments={"layout": layout},
        # Both sample from twice as many channels as PaddleVideo does.
        defaults={"proposal_dim": 256},
        sizes=_sizes,
    )


MMACTION2 = _format("duration_start", ("sample_mask", "bm_mask"))
# https://github.com/JJBOY/BMN-Boundary-Matching-Network, from which MMAction2 differs in the map.
BMN_ORIGINAL = _format("start_end", ("sample_mask",))
