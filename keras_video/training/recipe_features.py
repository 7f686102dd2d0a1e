"""The data sets of a recipe whose model takes features: shards or lists below one root."""

import glob
import inspect
import os
from pathlib import Path

from ml_collections import ConfigDict

from keras_video.presets.errors import did_you_mean
from keras_video.presets.label_files import load_labels
from keras_video.training.recipe_config import ConfigError


def make_feature_data(config: ConfigDict, train_options: dict, val_options: dict) -> tuple:
    """Makes the data sets of features that `config.data` describes, for `recipe.main`.

    `data.train` and `data.val` are patterns of files, lists or folders that `read_feature_list`
    takes, below `data.root`: directly, or in any folder below it, but for those of video-level
    features, `video`. `data.arguments` are arguments of `FeatureDataset`, such as `num_classes`,
    which `data.labels` makes superfluous, and `max_frames`. Modalities and channels are those of
    `model.arguments.features`, where the model is not a preset.

    Args:
        config: of the recipe.
        train_options: arguments of a data set for training that follow from the run: batch size,
            shard, seed and so on.
        val_options: the same for validation.

    Returns:
        Two `FeatureDataset`s; the second is `None` where the recipe has no validation.

    Raises:
        ConfigError: there are no features where the config says, or not of the kind that the model
            takes.

    Example (the end of a recipe's file):

    >>> recipe.main(get_config, make_feature_data, make_loss=make_loss)
    """
    from keras_video.data import FeatureDataset, read_feature_list

    data = config.data
    arguments = data.arguments.to_dict()
    known = inspect.signature(FeatureDataset).parameters
    for name in arguments:
        if name not in known:
            raise ConfigError(
                f"FeatureDataset has no such argument.{did_you_mean(name, known)} "
                f"Received: config.data.arguments.{name}"
            )
    if not data.root:
        raise ConfigError(
            "Say where the features are, --config.data.root=FOLDER: a folder with files "
            f"{data.train} and {data.val}, itself or in folders below it."
        )
    if config.model.preset is None and "features" in config.model.arguments:
        arguments.setdefault("features", config.model.arguments.features.to_dict())
    if data.labels is not None:
        arguments["label_names"] = load_labels(data.labels)
    arguments.update(workers=data.workers, prefetch=data.prefetch, max_failures=data.max_failures)

    def make(pattern: str, options: dict) -> FeatureDataset:
        options = {name: value for name, value in options.items() if name != "one_hot"}
        records = read_feature_list(find_features(data.root, pattern))
        return FeatureDataset(records, **arguments, **options)

    train = make(data.train, train_options)
    if train.num_classes is None:
        raise ConfigError(f"Training needs labels. Received: {data.train} without any")
    _check_range(config, train)
    # Sorted by length, batches of validation are only as long as need be.
    return train, make(data.val, {**val_options, "bucketed": True}) if data.val else None


def find_features(root: str | os.PathLike, pattern: str) -> str:
    """A file, folder or pattern for `read_feature_list`, below a root.

    What lies in the root itself comes first; else the one folder below it that has such files.

    Raises:
        ConfigError: there is nothing, or there are several such folders.
    """
    direct = os.path.join(glob.escape(os.fspath(root)), pattern)
    if os.path.exists(os.path.join(root, pattern)):
        return os.path.join(root, pattern)
    if glob.glob(direct):
        return direct
    found = glob.glob(f"**/{pattern}", root_dir=root, recursive=True)
    folders = sorted({str(Path(path).parent) for path in found if "video" not in Path(path).parts})
    if len(folders) == 1:
        return os.path.join(glob.escape(os.path.join(root, folders[0])), Path(pattern).name)
    if folders:
        raise ConfigError(
            f"Several folders below data.root have files {pattern}: say which one, with "
            f"--config.data.root={os.path.join(root, folders[0])}, or in data.train and data.val. "
            f"Received: {', '.join(folders[:5])}"
        )
    others = " but video-level ones, in a folder video" if found else ""
    raise ConfigError(
        f"There are no features {pattern} in data.root{others}; config.data.train and "
        f"config.data.val name other files. Received: data.root={os.fspath(root)!r}"
    )


def _check_range(config: ConfigDict, train) -> None:
    """Floats must not be taken for 8-bit codes."""
    model = config.model
    if model.preset is not None or model.arguments.get("feature_range", (-2.0, 2.0)) is None:
        return
    inputs = train.signature()[0]
    floats = [name for name in train.features if inputs[name].dtype != "uint8"]
    if floats:
        raise ConfigError(
            "The model would take these features for codes of 8 bits: say that they are numbers, "
            "--config.model.arguments.feature_range=none. "
            f"Received: {floats[0]} of {inputs[floats[0]].dtype}"
        )
