"""Where MMAction2 keeps the weights of SlowFast and SlowOnly.

Its SlowFast differs from the authors': the connections are convolutions alone, the slow pathway
takes every `alpha`-th frame, and the classifier reads the fast pathway first.
"""

import numpy as np

from keras_video.models.slowfast.torch_slowfast_map import Place, torch_slowfast_map
from keras_video.presets.checkpoint_format import TORCH_COUNTERS, CheckpointFormat
from keras_video.presets.layouts import LAYOUTS, Layout


def mmaction2_slowfast_map(model) -> dict[str, tuple]:
    """Maps the variables of a `SlowFast` to the tensors of an MMAction2 checkpoint.

    Returns:
        `{variable path: (tensor name, layout)}`, complete.
    """
    share = model.beta + 1

    def fast_first(size: int) -> np.ndarray:
        return np.roll(np.arange(size), -(size // share))

    layout = Layout(LAYOUTS["dense_torch"].axes, orders=((-2, fast_first),))
    return torch_slowfast_map(model, _slowfast_names, CLASSIFIER, classifier_layout=layout)


def mmaction2_slow_only_map(model) -> dict[str, tuple]:
    """Maps the variables of a `SlowOnly` to the tensors of an MMAction2 checkpoint."""

    def names(place: Place) -> tuple[str, str]:
        return mmaction2_names(place, "backbone.")

    return torch_slowfast_map(model, names, CLASSIFIER)


def _slowfast_names(place: Place) -> tuple[str, str]:
    # The connections belong to the slow pathway, which they end in.
    slow = place.pathway == 0 or place.part == "fuse"
    return mmaction2_names(place, f"backbone.{'slow' if slow else 'fast'}_path.")


def mmaction2_names(place: Place, backbone: str) -> tuple[str, str]:
    """MMAction2's names for one of our convolutions and its normalisation.

    Args:
        place: of the convolution.
        backbone: what comes before them.

    >>> mmaction2_names(Place(0, 3, 1, "a"), "backbone.")
    ('backbone.layer3.1.conv1.conv', 'backbone.layer3.1.conv1.bn')
    """
    if place.part == "fuse":
        part = f"layer{place.stage}_lateral" if place.stage else "conv1_lateral"
    elif place.part == "stem":
        part = "conv1"
    else:
        inner = "downsample" if place.part == "shortcut" else f"conv{'abc'.index(place.part) + 1}"
        part = f"layer{place.stage}.{place.block}.{inner}"
    return f"{backbone}{part}.conv", f"{backbone}{part}.bn"


CLASSIFIER = "cls_head.fc_cls"
# As its programs prepare frames, and judge them: whole, whatever their size.
DEFAULTS = {"normalize": "imagenet", "pool_size": None}
MMACTION2_SLOWFAST = CheckpointFormat(
    mmaction2_slowfast_map,
    ignored=(TORCH_COUNTERS,),
    arguments={"slow_frames": "stride", "fusion_norm": False},
    defaults=DEFAULTS,
)
MMACTION2_SLOW_ONLY = CheckpointFormat(
    mmaction2_slow_only_map, ignored=(TORCH_COUNTERS,), defaults=DEFAULTS
)
