"""The data sets of a recipe whose model proposes segments: annotations and stored features."""

import inspect
import os
from pathlib import Path

from ml_collections import ConfigDict

from keras_video.presets.errors import did_you_mean
from keras_video.training.recipe_config import ConfigError


def make_segment_data(config: ConfigDict, train_options: dict, val_options: dict) -> tuple:
    """Makes the data sets of annotated videos that `config.data` describes, for `recipe.main`.

    Below `data.root` lie the lists of annotated videos `data.train` and `data.val`, which
    `read_actions` reads; of each, its videos of the splits train and val.
    `data.arguments` are `features`, the folder with a file `VIDEO.npy` of each video; `missing`,
    what becomes of videos without a file, and `invalid`, of actions that cannot be: `"error"` or
    `"skip"`.

    Args:
        config: of the recipe.
        train_options: arguments of a data set for training that follow from the run: batch size,
            shard, seed and so on.
        val_options: the same for validation.

    Returns:
        Two data sets of `make_bmn_dataset`; the second is `None` where the recipe has no
        validation.

    Raises:
        ConfigError: there is nothing where the config says, or the model proposes no segments.
        ActionListError, FeatureReadError: files that cannot be read.

    Example (the end of a recipe's file):

    >>> recipe.main(get_config, make_segment_data, make_loss=make_loss)
    """
    from keras_video.localization import make_bmn_dataset, read_actions

    data = config.data
    if not data.root:
        raise ConfigError(
            "Say where the videos are, --config.data.root=FOLDER: a folder with the annotations "
            f"{data.train} and a folder of features."
        )
    arguments = data.arguments.to_dict()
    known = {"features", "invalid", "missing"}
    for name in arguments:
        if name not in known:
            raise ConfigError(
                f"Data of segments have no such argument.{did_you_mean(name, known)} "
                f"Received: config.data.arguments.{name}"
            )
    folder = _below(data.root, arguments.pop("features", "features"), "data.arguments.features")
    invalid = arguments.pop("invalid", "error")
    sizes = _sizes(config)

    def make(name: str, field: str, split: str, options: dict):
        path = _below(data.root, name, field)
        videos = read_actions(path, split, invalid)
        return make_bmn_dataset(
            videos,
            folder,
            workers=data.workers or os.cpu_count(),
            prefetch=data.prefetch,
            **sizes,
            **arguments,
            **options,
        )

    train = make(data.train, "data.train", "train", train_options)
    return train, make(data.val, "data.val", "val", val_options) if data.val else None


def _below(root: str, name: str, field: str) -> Path:
    path = Path(root, name)
    if not path.exists():
        there = sorted(os.listdir(root)) if os.path.isdir(root) else []
        raise ConfigError(
            f"There is no {name} in data.root; config.{field} may name another."
            f"{did_you_mean(name, there)} Received: config.{field}={name!r} in {os.fspath(root)!r}"
        )
    return path


def _sizes(config: ConfigDict) -> dict:
    """What the model takes and gives, by its arguments."""
    from keras_video.presets.loading import load_preset
    from keras_video.training.recipe_model import model_class

    arguments = config.model.arguments.to_dict()
    if config.model.preset is not None:
        values = load_preset(config.model.preset, load_weights=False, **arguments).get_config()
    else:
        parameters = inspect.signature(model_class(config)).parameters
        values = {name: parameter.default for name, parameter in parameters.items()} | arguments
    names = ("feature_dim", "num_frames", "max_duration", "layout")
    if any(name not in values for name in names):
        raise ConfigError(
            "Segments are proposed by models such as BMN. "
            f"Received: config.model.name={config.model.name!r}, preset={config.model.preset!r}"
        )
    return {name: values[name] for name in names}
