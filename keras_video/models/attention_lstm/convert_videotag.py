"""Where PaddleVideo's application VideoTag keeps the weights of its AttentionLSTM.

`dynamic_lstm` of Paddle's static graphs has the gates in the order candidate, input, forget,
output, and one bias for them and for the peepholes of input, forget and output gate
(paddle/fluid/operators/lstm_op.cc). The weights of the inputs are a dense layer before it.
"""

from collections.abc import Mapping

import numpy as np

from keras_video.presets.checkpoint_format import CheckpointFormat
from keras_video.presets.layouts import Layout

# Where our gates (input, forget, candidate, output) lie there, and our peepholes after them.
GATES = (1, 2, 0, 3)
BIAS = (*GATES, 4, 5, 6)


def _in_blocks(blocks: tuple[int, ...]):
    """The order of axes that are so many blocks of equal size."""

    def order(size: int) -> np.ndarray:
        if size % len(blocks):
            raise ValueError(f"{size} is no multiple of {len(blocks)}")
        return np.arange(size).reshape(len(blocks), -1)[list(blocks)].reshape(-1)

    return order


_KERNEL = Layout((0, 1), orders=((-1, _in_blocks(GATES)),))
_BIAS = Layout((0, 1), orders=((-1, _in_blocks(BIAS)),))


def videotag_map(model) -> dict[str, tuple]:
    """Maps the variables of an `AttentionLSTM` to the tensors of VideoTag's predictor.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    table = _dense("classifier", "output")
    for number in range(1, len(model.hidden_dims) + 1):
        table |= _dense(f"hidden{number}", f"fc{number}")
    for modality in model.features:
        table |= _dense(f"{modality}_embedding", f"{modality}_fc")
        table[f"{modality}_attention/score/kernel"] = (f"{modality}_weight.w_0", "dense")
        for direction in ("forward", "backward"):
            ours = f"{modality}_lstm/{direction}"
            theirs = f"{modality}_lstm_{direction}"
            table[f"{ours}/kernel"] = (f"{modality}_fc_{direction}.w_0", _KERNEL)
            table[f"{ours}/recurrent_kernel"] = (f"{theirs}.w_0", _KERNEL)
            table[f"{ours}/bias"] = (f"{theirs}.b_0", _BIAS)
    return table


def _dense(ours: str, theirs: str) -> dict[str, tuple[str, str]]:
    return {
        f"{ours}/kernel": (f"{theirs}.w_0", "dense"),
        f"{ours}/bias": (f"{theirs}.b_0", "same"),
    }


def _sizes(tensors: Mapping, given: Mapping) -> dict:
    """What the shapes tell of the model's arguments; nothing where tensors are missing."""
    names = ("rgb_fc.w_0", "rgb_lstm_forward.w_0", "fc1.w_0", "fc2.w_0")
    if not all(name in tensors and tensors[name].ndim == 2 for name in names):
        return {}
    embedding, lstm, hidden1, hidden2 = (tensors[name].shape for name in names)
    return {
        "features": {"rgb": embedding[0]},
        "embedding_dim": embedding[1],
        "lstm_dim": lstm[0],
        "hidden_dims": (hidden1[1], hidden2[1]),
    }


VIDEOTAG = CheckpointFormat(
    videotag_map,
    arguments={"peepholes": True, "attention_bias": False},
    defaults={"feature_range": None},
    sizes=_sizes,
)
