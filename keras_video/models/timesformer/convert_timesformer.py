"""Where the authors of TimeSformer keep its weights.

https://github.com/facebookresearch/TimeSformer. PaddleVideo has taken the names over.
"""

from keras_video.models.timesformer.convert_paddle import DIVIDED, MLP, UNDIVIDED
from keras_video.models.timesformer.timesformer_sizes import timesformer_sizes
from keras_video.models.timesformer.torch_timesformer_map import torch_timesformer_map
from keras_video.presets.checkpoint_format import CheckpointFormat

OTHERS = {
    "class_token": "model.cls_token",
    "positions": "model.pos_embed",
    "times": "model.time_embed",
    "patches": "model.patch_embed.proj",
    "norm": "model.norm",
    "classifier": "model.head",
}


def timesformer_map(model) -> dict[str, tuple[str, str]]:
    """Maps the variables of a `TimeSformer` to the tensors of a checkpoint of its authors.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    return torch_timesformer_map(model, *NAMES)


NAMES = OTHERS, "model.blocks.{}.", {**DIVIDED, **MLP}, {**UNDIVIDED, **MLP}
TIMESFORMER = CheckpointFormat(
    timesformer_map, sizes=timesformer_sizes(*NAMES), state_key="model_state"
)
