"""The flags of a recipe's command line."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_video.presets.errors import did_you_mean
from keras_video.training.config_overrides import split_overrides
from keras_video.training.recipe_config import FIELDS, ConfigError, describe_config

FLAGS_FILE = "flags.json"


class RecipeFlags(NamedTuple):
    """What the command line says.

    Attributes:
        workdir: the run's directory, or `None` where none is needed.
        dry_run: build and describe, don't train.
        print_config: print the config only.
        allow_changes: go on with a run of another config.
        debug: show tracebacks.
        overrides: `{field: text}`.
    """

    workdir: str | None
    dry_run: bool
    print_config: bool
    allow_changes: bool
    debug: bool
    overrides: dict[str, str]


def parse_flags(arguments: Sequence[str], get_config: Callable) -> RecipeFlags:
    """Reads the command line of a recipe; `--help` prints and exits.

    Args:
        arguments: without the program's name.
        get_config: of the recipe.

    Raises:
        ConfigError: an unknown flag, with the nearest one, or a missing one.

    Example:

    >>> parse_flags(["--workdir=runs/a", "--config.num_epochs=3"], get_config).overrides
    {'num_epochs': '3'}
    """
    from absl import flags

    overrides, others = split_overrides(arguments)
    values = _define()
    if any(argument in ("--help", "-help", "-h") for argument in others):
        print(_help(get_config, values))
        raise SystemExit(0)
    try:
        _, *rest = values(["recipe", *others])
    except flags.UnrecognizedFlagError as error:
        known = [f"--{name}" for name in values] + [f"--config.{name}" for name in FIELDS]
        name = f"--{error.flagname}"
        near = [flag for flag in known if flag.endswith(f".{error.flagname}")]
        hint = did_you_mean(name, near or known) or " --help lists all flags."
        raise ConfigError(f"There is no such flag.{hint} Received: {name}") from error
    except flags.Error as error:
        raise ConfigError(str(error)) from error
    if rest:
        raise ConfigError(f"Flags are written --NAME=VALUE. Received: {rest[0]}")
    if values.workdir is None and not (values.dry_run or values.print_config):
        raise ConfigError("Say where the run goes: --workdir=DIRECTORY")
    if values.workdir is not None:
        values.workdir = os.path.expanduser(values.workdir)  # Shells leave --workdir=~/runs alone.
    names = RecipeFlags._fields[:-1]
    return RecipeFlags(*(getattr(values, name) for name in names), dict(overrides))


def recall_overrides(workdir: str | os.PathLike | None) -> dict[str, str]:
    """The `--config` flags that the run in `workdir` was started with."""
    path = Path(workdir or "", FLAGS_FILE)
    if workdir is None or not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} can't be read, delete it: {error}") from error


def remember_overrides(workdir: str | os.PathLike, overrides: dict[str, str]) -> None:
    """Keeps the `--config` flags of a run, for its next start."""
    from keras_video.training.durable_files import write_durably

    text = json.dumps(overrides, indent=2, ensure_ascii=False) + "\n"
    write_durably(Path(workdir, FLAGS_FILE), text.encode())


def _define():
    from absl import flags

    # Flags of their own: a program that imports this has perhaps a --workdir itself.
    values = flags.FlagValues()
    flags.DEFINE_string(
        "workdir",
        None,
        "directory of the run: config, logs, checkpoints, the preset; an interrupted run goes on",
        flag_values=values,
    )
    for name, text in (
        ("dry_run", "build everything, load one batch, say what would be trained, and stop"),
        ("print_config", "print the config as JSON and stop"),
        ("allow_changes", "go on with a run in workdir that was started with another config"),
        ("debug", "show tracebacks and TensorFlow's messages"),
    ):
        flags.DEFINE_bool(name, False, text, flag_values=values)
    return values


def _help(get_config: Callable, values) -> str:
    summary = (get_config.__globals__.get("__doc__") or "").strip()
    own = "\n".join(f"--{name}\n    {values[name].help}" for name in values)
    return f"{summary}\n\nFlags:\n\n{own}\n{describe_config(get_config())}"
