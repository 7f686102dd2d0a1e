"""`CheckpointFormat`: how other people's programs write down the weights of a model class."""

import dataclasses
import re
from collections.abc import Callable, Mapping

import numpy as np

from keras_video.presets.errors import PresetError

# torch's names for what batch normalisation learns and measures.
TORCH_NORM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# How many batches a batch normalisation of torch has seen: nothing depends on it.
TORCH_COUNTERS = r".*\.num_batches_tracked"


@dataclasses.dataclass(frozen=True)
class CheckpointFormat:
    """One format of a class's `checkpoint_maps`.

    A plain function does where a table is all that there is to say.

    Args:
        table: takes a model and returns `{variable path: (tensor name or names, layout)}`, with all
            of its variables.
        ignored: regular expressions; a tensor whose whole name matches one holds no weight, and
            may be absent.
        aliases: pairs of a regular expression and a replacement; a tensor whose whole name matches
            is one that the checkpoint also has under the other name. It may be absent, but not hold
            other numbers.
        arguments: arguments that the model must have for these weights to mean the same, such as
            `{"slow_frames": "stride"}`. `convert` sets them on models that it builds, and refuses
            models that are built otherwise.
        defaults: arguments that `convert` sets on models that it builds, unless the caller does:
            how the world's own programs prepare clips and average results.
        sizes: takes the tensors of a checkpoint and the caller's arguments, and returns the
            arguments that the shapes of the tensors tell, such as `{"image_size": 448}`; nothing
            where the tensors are not of this format. `convert` sets them on models that it
            builds, unless the caller does.
        state_key: under which the world's torch files have their weights.
        write_folder: takes a model and a folder, and writes the configs that go with the weights;
            `None` where a checkpoint is a single file.

    Example:

    >>> checkpoint_maps = {"mmaction2": CheckpointFormat(mmaction2_map, (TORCH_COUNTERS,))}
    """

    table: Callable
    ignored: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    arguments: Mapping = dataclasses.field(default_factory=dict)
    defaults: Mapping = dataclasses.field(default_factory=dict)
    sizes: Callable[[Mapping, Mapping], dict] | None = None
    state_key: str = "state_dict"
    write_folder: Callable | None = None

    def __call__(self, model) -> dict[str, tuple]:
        return self.table(model)

    def ignores(self, name: str) -> bool:
        """Whether a tensor of this name holds no weight."""
        return any(re.fullmatch(pattern, name) for pattern in self.ignored)

    def without_aliases(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The tensors under one name each.

        Raises:
            PresetError: two names of one tensor hold different numbers.
        """
        named = {}
        for name, tensor in tensors.items():
            for pattern, replacement in self.aliases:
                matched = re.fullmatch(pattern, name)
                if matched:
                    name = matched.expand(replacement)
                    break
            known = named.setdefault(name, tensor)
            if known is not tensor and not np.array_equal(known, tensor):
                raise PresetError(f"two tensors that should be one differ, both {name!r}.")
        return named

    def other_arguments(self, model, with_defaults: bool = False) -> dict:
        """The arguments that a model has otherwise than this format needs, or has by default."""
        wanted = {**(self.defaults if with_defaults else {}), **self.arguments}
        config = model.get_config() if wanted else {}
        return {name: value for name, value in wanted.items() if config[name] != value}


def as_format(format: "CheckpointFormat | Callable") -> CheckpointFormat:
    """Returns a value of `checkpoint_maps` as a `CheckpointFormat`."""
    return format if isinstance(format, CheckpointFormat) else CheckpointFormat(format)


def torch_norm(path: str, name: str) -> dict[str, tuple[str, str]]:
    """The entries of one batch normalisation: ours at `path`, torch's under `name`."""
    return {f"{path}/{ours}": (f"{name}.{theirs}", "same") for ours, theirs in TORCH_NORM.items()}
