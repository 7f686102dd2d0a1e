"""The fields of a recipe: what they mean, their defaults, their types and limits."""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from ml_collections import ConfigDict, config_dict

from keras_video.presets.errors import did_you_mean


class ConfigError(ValueError):
    """A field of a recipe's config is unknown or has a value that it can't have."""


class Field(NamedTuple):
    """One field of a config.

    Attributes:
        default: its value unless a recipe says otherwise; `None` where that means "not set".
        text: what it means.
        value_type: of its value, by default the default's; `dict`: a group whose names are free.
        choices: the values that it may have, if these are few.
        least: the smallest value.
    """

    default: Any
    text: str
    value_type: type | None = None
    choices: tuple = ()
    least: float | None = None

    @property
    def kind(self) -> type:
        return self.value_type or type(self.default)


FIELDS: dict[str, Field] = {
    "seed": Field(0, "of first weights, order, augmentation and dropout", least=0),
    "num_epochs": Field(50, "passes over the training set", least=1),
    "batch_size": Field(128, "clips in a step, over all devices and workers", least=1),
    "val_batch_size": Field(None, "the same in validation; not set: batch_size", int, least=1),
    "accumulate": Field(1, "micro-batches in a step: less memory, the same update", least=1),
    "strategy": Field(
        "auto",
        "devices; auto: all GPUs or the TPU, and all workers of TF_CONFIG",
        choices=("auto", "one_device", "mirrored", "multi_worker", "tpu"),
    ),
    "precision": Field(
        "float32",
        "of the network",
        choices=("float32", "mixed_float16", "mixed_bfloat16"),
    ),
    "xla": Field("auto", "auto: on GPUs and TPUs", choices=("auto", "true", "false")),
    "sync_batch_norm": Field(False, "batch statistics over all devices, not each its own"),
    "model.name": Field("TSM", "class in keras_video.models, or package.module:Class"),
    "model.arguments": Field({}, "arguments of the class, such as model.arguments.depth=101"),
    "model.preset": Field(None, "start from this preset instead: a name, folder or hf://", str),
    "model.backbone": Field(None, "start from these weights of the backbone: a preset", str),
    "model.head_std": Field(
        None,
        "standard deviation of the classifier's first weights; not set: the model's, "
        "which may be too small to train without a pretrained backbone",
        float,
        least=0,
    ),
    "freeze.until": Field(None, "layers up to this one stay as they are, such as stage3", str),
    "freeze.batch_norm": Field(
        "none", "whose statistics and factors stay", choices=("none", "all", "all_but_first")
    ),
    "loss.label_smoothing": Field(0.0, "share of the label that all classes get", least=0),
    "optimizer.name": Field(
        "sgd", "sgd, rmsprop, adam, or a class of keras.optimizers such as adamw"
    ),
    "optimizer.momentum": Field(0.9, "of sgd", least=0),
    "optimizer.nesterov": Field(False, "of sgd"),
    "optimizer.weight_decay": Field(
        1e-4, "L2, part of the gradient in sgd, rmsprop and adam", least=0
    ),
    "optimizer.clip_norm": Field(None, "largest norm of all gradients together", float, least=0),
    "optimizer.rules": Field(
        None,
        "of sgd, rmsprop and adam: (pattern, rate multiplier, decay multiplier) for single "
        "weights; not set: those of the model's published training",
        tuple,
    ),
    "optimizer.ema": Field(None, "momentum of averaged weights, which are kept", float, least=0),
    "optimizer.arguments": Field({}, "further arguments of the optimizer"),
    "schedule.name": Field(
        "warmup_cosine",
        "of the learning rate",
        choices=("warmup_cosine", "piecewise", "constant"),
    ),
    "schedule.learning_rate": Field(0.01, "highest learning rate", least=0),
    "schedule.warmup_epochs": Field(0.0, "epochs in which the rate grows", least=0),
    "schedule.warmup_start": Field(0.0, "rate of the first step of the warm-up", least=0),
    "schedule.boundaries": Field((), "of piecewise: epochs at which the rate falls"),
    "schedule.decay": Field(0.1, "of piecewise: factor of the rate at each boundary", least=0),
    "multigrid.enabled": Field(
        False,
        "train on small clips in large batches first, full ones last, over epoch_factor times "
        "num_epochs; the schedule must be piecewise",
    ),
    "multigrid.size": Field(224, "height and width of a full training clip", least=1),
    "multigrid.epoch_factor": Field(1.5, "how many times more epochs", least=0),
    "multigrid.long_cycle": Field(
        ((0.25, 0.5**0.5), (0.5, 0.5**0.5), (0.5, 1.0), (1.0, 1.0)),
        "base shapes: (share of the frames, share of the size) of each; () for none",
    ),
    "multigrid.short_cycle": Field(
        (0.5, 0.5**0.5), "shares of the size of the batches before a base one; () for none"
    ),
    "multigrid.reference": Field(False, "as PaddleVideo deviates from PySlowFast"),
    "data.root": Field(
        "",
        "folder of the videos: with the lists of `keras-video dataset prepare`, "
        "or with one folder for each class",
    ),
    "data.train": Field("train.list", "list, or folder with one folder a class, below data.root"),
    "data.val": Field("val.list", "the same for validation; empty: no validation"),
    "data.val_fraction": Field(
        0.2, "share of each class for validation, where data.root has folders and no lists", least=0
    ),
    "data.labels": Field(None, "class names of lists without labels.txt, such as ucf101", str),
    "data.sampling": Field(None, "of training clips; not set: preprocessor.sampling", str),
    "data.val_sampling": Field(None, "of validation clips; not set: preprocessor.sampling", str),
    "data.transforms": Field(
        None,
        "of training clips, such as 'MultiScaleCrop(224), RandomFlip()'; not set: the "
        "preprocessor's resizing, crops of four scales, mirroring",
        tuple,
    ),
    "data.batch_transform": Field(None, "of training batches, such as 'MixUp(0.2)'", object),
    "data.workers": Field(
        None, "threads that load clips; not set: one for each core", int, least=1
    ),
    "data.prefetch": Field(2, "batches to load ahead", least=0),
    "data.max_failures": Field(
        None, "unreadable videos that are tolerated; not set: 1 % and at least 10", int, least=0
    ),
    "data.decoder": Field("pyav", "pyav, decord, opencv, torchcodec"),
    "data.index_cache": Field(None, "folder for the frame indexes of long videos", str),
    "data.arguments": Field({}, "of data that the recipe makes itself, or of FeatureDataset"),
    "preprocessor": Field(
        {}, "VideoPreprocessor's arguments: how the finished preset prepares a video"
    ),
    "distillation.teacher": Field(None, "preset to learn from as well", str),
    "distillation.kind": Field("logits", "the loss", choices=("logits", "dml")),
    "distillation.weight": Field(1.0, "of this loss beside that of the labels", least=0),
    "distillation.temperature": Field(1.0, "that softens both answers", least=0),
    "evaluate_every": Field(1, "epochs between validations", least=1),
    "checkpoint_every": Field(
        None, "steps between checkpoints, beside every epoch's", int, least=1
    ),
    "keep": Field(3, "latest checkpoints that are kept, beside the best", least=1),
    "precise_batch_norm": Field(0, "batches to compute the moving statistics from anew", least=0),
    "precise_batch_norm_every": Field(1, "epochs between those computations", least=1),
    "patience": Field(None, "validations without improvement after which to stop", int, least=0),
    "monitor": Field("top1", "the number of the validation that says what is best"),
    "log_every": Field(20, "steps between lines of the log", least=1),
}


def default_config() -> ConfigDict:
    """Returns the config that recipes start from: every field, with its default.

    Unknown names can't be assigned. `describe_config` says what the fields mean, as
    `python recipes/NAME.py --help` does.

    Returns:
        A locked `ml_collections.ConfigDict`.

    Example:

    >>> config = default_config()
    >>> config.num_epochs = 80
    >>> config.model.name, config.model.arguments.depth = "PPTSM", 50
    >>> config.schedule.update(learning_rate=0.01, warmup_epochs=10, warmup_start=0.005)
    """
    config = ConfigDict()
    for path, field in FIELDS.items():
        group, name = _group(config, path, make=True)
        if field.kind is dict:
            group[name] = ConfigDict(field.default)
        elif field.default is None:
            group[name] = config_dict.placeholder(field.kind)
        else:
            group[name] = field.default
    config.lock()
    for path, field in FIELDS.items():
        if field.kind is dict:
            get_field(config, path).unlock()
    return config


def get_field(config: ConfigDict, path: str):
    """The value of a field, such as `get_field(config, "data.root")`."""
    group, name = _group(config, path)
    return group[name]


def free_group(path: str) -> str | None:
    """The group with free names that a path like `"model.arguments.depth"` lies in, or `None`."""
    for name, field in FIELDS.items():
        if field.kind is dict and path.startswith(f"{name}."):
            return name
    return None


def unknown_field(path: str) -> ConfigError:
    """The error for a name that no field has."""
    last = path.rpartition(".")[2]
    same_name = [name for name in FIELDS if name.rpartition(".")[2] == last]
    near = same_name or difflib.get_close_matches(path, FIELDS, n=3)
    near = near or [name for name in FIELDS if last in name][:3]
    hint = " or ".join(f"config.{name}" for name in near)
    hint = f"Did you mean {hint}?" if hint else "--help lists all fields."
    return ConfigError(f"There is no such field. {hint} Received: config.{path}")


def check_config(config: ConfigDict) -> None:
    """Checks that a config has all fields, and values that they can have.

    Raises:
        ConfigError: naming the field, its value, and the nearest possible one.
    """
    present = set(_paths(config.to_dict()))
    for path in sorted(present - set(FIELDS)):
        raise unknown_field(path)
    for path, field in FIELDS.items():
        if path not in present:
            group = path.rpartition(".")[0]
            raise ConfigError(
                f"config.{path} is missing: change single fields of a group, with "
                f"`config.{group}.update(...)`, instead of assigning another group."
            )
        _check_value(path, field, get_field(config, path))


def _check_value(path: str, field: Field, value) -> None:
    if field.choices and value not in field.choices:
        words = ", ".join(map(str, field.choices))
        raise ConfigError(
            f"config.{path} must be one of {words}."
            f"{did_you_mean(str(value), map(str, field.choices))} Received: {value!r}"
        )
    if field.least is not None and value is not None and not value >= field.least:
        raise ConfigError(f"config.{path} must be at least {field.least}. Received: {value!r}")


def plain_config(config: ConfigDict) -> dict:
    """The config as plain data for JSON: tuples as lists, transforms as they print."""
    return _plain(config.to_dict())


def describe_config(config: ConfigDict) -> str:
    """Every field with its value and its meaning, a line each.

    Example:

    >>> print(describe_config(default_config()))
    --config.seed=0
        of first weights, order, augmentation and dropout
    ...
    """
    lines = []
    for path, field in FIELDS.items():
        value = get_field(config, path)
        if field.kind is dict:
            lines += [f"--config.{path}.NAME=VALUE", f"    {field.text}"]
            lines += [f"--config.{path}.{key}={_show(value[key])}" for key in sorted(value)]
            continue
        choices = f" ({', '.join(field.choices)})" if field.choices else ""
        lines += [f"--config.{path}={_show(value)}", f"    {field.text}{choices}"]
    return "\n".join(lines)


def _show(value) -> str:
    """A value as it is written on the command line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and any(callable(item) for item in value):
        return f'"{", ".join(map(repr, value))}"'
    return str(value)


def _plain(value):
    if isinstance(value, dict | ConfigDict):
        return {str(name): _plain(value[name]) for name in value}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)


def _paths(values: dict, prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        is_group = any(field.startswith(f"{path}.") for field in FIELDS)
        if isinstance(value, dict) and is_group:
            yield from _paths(value, f"{path}.")
        else:
            yield path


def _group(config: ConfigDict, path: str, make: bool = False) -> tuple[ConfigDict, str]:
    *groups, name = path.split(".")
    for group in groups:
        if make and group not in config:
            config[group] = ConfigDict()
        config = config[group]
    return config, name
