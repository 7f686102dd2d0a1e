"""`run_recipe` and `main`: a config becomes a training run."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from keras_video.console import one_line, quiet_tensorflow
from keras_video.data.video_failures import TooManyFailuresError
from keras_video.presets.errors import did_you_mean
from keras_video.presets.preset_files import METADATA
from keras_video.training.checkpoint import CheckpointError
from keras_video.training.config_overrides import apply_overrides
from keras_video.training.non_finite_loss import NonFiniteLossError
from keras_video.training.recipe_config import (
    ConfigError,
    check_config,
    default_config,
    plain_config,
)
from keras_video.training.recipe_flags import (
    RecipeFlags,
    parse_flags,
    recall_overrides,
    remember_overrides,
)
from keras_video.training.run_directory import RunDirectory

__all__ = ["ConfigError", "Recipe", "default_config", "main", "prepare_recipe", "run_recipe"]

_XLA = {"auto": "auto", "true": True, "false": False}


class Recipe(NamedTuple):
    """What a config describes, ready to train; `prepare_recipe` makes it.

    Attributes:
        config: the `ConfigDict`.
        strategy: of `tf.distribute`.
        model: compiled, with its first weights, preprocessor and labels.
        train: the training data of this worker.
        val: its validation data, or `None`.
    """

    config: ConfigDict
    strategy: Any
    model: Any
    train: Any
    val: Any

    def summary(self) -> str:
        """What would be trained, on what and how, in a few lines."""
        from keras_video.training.recipe_summary import summarize

        return summarize(self)


def main(get_config: Callable[[], ConfigDict], make_data: Callable | None = None, **makers) -> None:
    """The command line of a recipe: `python recipes/NAME.py --workdir=DIR --config.NAME=VALUE`.

    Every field of the config is a flag, `--config.data.root=/data`. Started again with the same
    `--workdir`, it goes on where it stopped; flags need not be repeated. `--help` lists the fields
    with their values in this recipe, `--print_config` prints them as JSON, `--dry_run` builds
    everything, loads one batch, says what would be trained, and stops. A wrong flag or value ends
    it at once, with the nearest valid name and exit code 2.

    Args:
        get_config: returns the recipe's config, made from `default_config()`.
        make_data: see `run_recipe`.
        **makers: `make_loss` and `make_evaluator` of `run_recipe`.

    Example (the end of a recipe's file):

    >>> if __name__ == "__main__":
    ...     main(get_config)
    """
    from absl import app
    from absl.flags import FLAGS

    arguments = sys.argv[1:]

    def flags_parser(argv):
        FLAGS(argv)
        return _or_exit("--debug" in arguments, parse_flags, arguments, get_config)

    app.run(
        lambda flags: _run(flags, get_config, make_data, **makers),
        argv=sys.argv[:1],
        flags_parser=flags_parser,
    )


def _run(flags: RecipeFlags, *makers, **more_makers) -> None:
    prepared = _or_exit(flags.debug, _prepare_run, flags, *makers, **more_makers)
    if prepared is None:
        return
    from keras_video.training.lost_workers import WorkerLostError
    from keras_video.training.run_state import RunMismatchError

    try:
        _train(*prepared)
    except RunMismatchError as error:
        if flags.debug:
            raise
        _report(str(error))
        raise SystemExit(2) from None
    except (CheckpointError, NonFiniteLossError, TooManyFailuresError, WorkerLostError) as error:
        if flags.debug:
            raise
        _report(str(error))
        raise SystemExit(1) from None


def _prepare_run(
    flags: RecipeFlags, get_config, make_data=None, make_loss=None, make_evaluator=None
):
    config = get_config()
    overrides = {**recall_overrides(flags.workdir), **flags.overrides}
    apply_overrides(config, overrides.items())
    check_config(config)
    if flags.print_config:
        print(json.dumps(plain_config(config), indent=2, ensure_ascii=False))
        return None
    with quiet_tensorflow(flags.debug):
        import tensorflow as tf
    if not flags.debug:
        # `absl.app` shows what TensorFlow has to say of every collective operation.
        tf.get_logger().setLevel("ERROR")
    recipe = prepare_recipe(config, make_data, make_loss)
    if flags.dry_run:
        print(recipe.summary())
        return None
    trainer = make_trainer(recipe, flags.workdir, make_evaluator, allow_changes=flags.allow_changes)
    if _is_chief(recipe.strategy):
        # Says now what the run would say later.
        RunDirectory(flags.workdir, plain_config(config), allow_changes=flags.allow_changes).close()
    return recipe, trainer, lambda: remember_overrides(flags.workdir, overrides)


def _or_exit(debug: bool, function: Callable, *arguments, **more):
    """Calls a function; what the user did wrong becomes one line and exit code 2."""
    try:
        return function(*arguments, **more)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        if debug:
            raise
        _report(one_line(error))
        raise SystemExit(2) from None


def _report(message: str) -> None:
    print(f"{Path(sys.argv[0]).name}: error: {message}", file=sys.stderr)


def run_recipe(
    config: ConfigDict,
    workdir: str | os.PathLike,
    make_data: Callable | None = None,
    make_loss: Callable | None = None,
    make_evaluator: Callable | None = None,
) -> dict:
    """Trains what a config describes, or goes on where the run in `workdir` stopped.

    Args:
        config: from `default_config()`, changed.
        workdir: the run's directory: config, logs, checkpoints, and at the end `preset`.
        make_data: called as `make_data(config, train_options, val_options)` for data of your own;
            returns two data sets, made with these options (batch sizes and shapes, shards, seed,
            one-hot labels): `VideoDataset`, `ArrayDataset` or, without the last option,
            `FeatureDataset`; the second may be `None`. By default
            `config.data` says what is read.
        make_loss: called as `make_loss(config, model)` for a loss of your own; returns the
            arguments `loss` and perhaps `metrics` of `model.compile`. By default the cross entropy
            of one-hot labels.
        make_evaluator: called as `make_evaluator(recipe)`, with a `Recipe`, for a validation of
            your own; returns an object with `evaluate() -> dict` of numbers, of which
            `config.monitor` names one, and perhaps with `numbers`, their names. By default a
            `ClassificationEvaluator`.

    Returns:
        What `Trainer.run` returns: the best validation's `loss`, `top1` and `top5`; `epoch` and
        `step` done; `finished`.

    Raises:
        ConfigError: the config has an unknown field or a value that isn't possible.
        ValueError: the data or the run in `workdir` don't fit the config.

    Example:

    >>> config = default_config()
    >>> config.model.preset, config.data.root = "tsm_tiny_motion", "videos"
    >>> run_recipe(config, "runs/a")["top1"]
    0.97
    """
    recipe = prepare_recipe(config, make_data, make_loss)
    return _train(recipe, make_trainer(recipe, workdir, make_evaluator))


def _train(recipe: Recipe, trainer, on_start: Callable[[], None] | None = None) -> dict:
    result = trainer.run(on_start if _is_chief(recipe.strategy) else None)
    if result["finished"] and _is_chief(recipe.strategy):
        _finish_preset(recipe, Path(trainer.workdir, "preset"))
    return result


def _finish_preset(recipe: Recipe, path: Path) -> None:
    """Gives the preset the frames that its preprocessor samples, and frees it from TensorFlow."""
    changes = {}
    frames = getattr(getattr(recipe.model, "preprocessor", None), "num_frames", None)
    if frames is not None and frames != getattr(recipe.model, "num_frames", frames):
        changes["num_frames"] = frames
    if recipe.config.sync_batch_norm:
        changes["synchronized"] = False
    if changes:
        metadata = json.loads((path / METADATA).read_text(encoding="utf-8"))
        model = type(recipe.model).from_preset(path, **changes)
        model.save_to_preset(path, metadata={"metrics": metadata.get("metrics", {})})


def prepare_recipe(
    config: ConfigDict, make_data: Callable | None = None, make_loss: Callable | None = None
) -> Recipe:
    """Builds what a config describes: strategy, data, model, optimizer. Reads no video yet.

    Args:
        config: from `default_config()`, changed.
        make_data, make_loss: see `run_recipe`.

    Raises:
        ConfigError: the config has an unknown field or a value that isn't possible.

    Example:

    >>> print(prepare_recipe(config).summary())
    """
    check_config(config)
    import keras

    from keras_video.training.recipe_data import make_video_data
    from keras_video.training.recipe_model import compile_model, dtype_policy, make_model
    from keras_video.training.recipe_multigrid import make_multigrid
    from keras_video.training.strategies import make_strategy

    config.data.root = os.path.expanduser(config.data.root)
    keras.utils.set_random_seed(config.seed)
    strategy = make_strategy(config.strategy)
    train_options, val_options = _data_options(config, strategy)
    if config.multigrid.enabled:
        train_options["shapes"] = make_multigrid(config)
    train, val = (make_data or make_video_data)(config, train_options, val_options)
    steps = train.batches_in if config.multigrid.enabled else train.batches_in_epoch
    with strategy.scope(), dtype_policy(config.precision):
        model = make_model(config, train.num_classes, train.labels)
        compile_model(model, config, steps, make_loss)
    return Recipe(config, strategy, model, train, val)


def _data_options(config: ConfigDict, strategy) -> tuple[dict, dict]:
    from keras_video.training.strategies import input_shards

    num_shards, shard_index = input_shards(strategy)
    replicas = strategy.num_replicas_in_sync
    val_batch_size = config.val_batch_size or config.batch_size
    for name, size, parts in (
        ("batch_size", config.batch_size, replicas * config.accumulate),
        ("val_batch_size", val_batch_size, replicas),
    ):
        if size % parts:
            raise ConfigError(
                f"config.{name} is shared by {replicas} devices"
                + (f" and cut into {config.accumulate} micro-batches" if parts > replicas else "")
                + f": it must be a multiple of {parts}. Received: config.{name}={size}"
            )
    shared = {"num_shards": num_shards, "shard_index": shard_index, "one_hot": True}
    train = {"batch_size": config.batch_size // num_shards, "training": True, "seed": config.seed}
    val = {"batch_size": val_batch_size // num_shards, "last_batch": "pad"}
    return {**shared, **train}, {**shared, **val}


def _is_chief(strategy) -> bool:
    from keras_video.training.replicas import is_several_workers
    from keras_video.training.strategies import worker_index

    return not is_several_workers(strategy) or worker_index() == 0


def make_trainer(
    recipe: Recipe,
    workdir: str | os.PathLike,
    make_evaluator: Callable | None = None,
    allow_changes: bool = False,
):
    """The `Trainer` of a prepared recipe."""
    from keras_video.training.distillation import Distillation
    from keras_video.training.recipe_model import dtype_policy
    from keras_video.training.recipe_multigrid import num_epochs
    from keras_video.training.trainer import Trainer

    config, distillation, evaluator = recipe.config, None, None
    if config.distillation.teacher is not None:
        with recipe.strategy.scope(), dtype_policy(config.precision):
            distillation = Distillation(**config.distillation.to_dict())
    if recipe.val is not None:
        evaluator = (make_evaluator or _classification_evaluator)(recipe)
        _check_monitor(config.monitor, getattr(evaluator, "numbers", (config.monitor,)))
    same_names = (
        "accumulate evaluate_every checkpoint_every keep precise_batch_norm "
        "precise_batch_norm_every patience monitor log_every"
    )
    return Trainer(
        recipe.model,
        recipe.train,
        workdir=workdir,
        num_epochs=num_epochs(config),
        evaluator=evaluator,
        strategy=recipe.strategy,
        xla=_XLA[config.xla],
        distillation=distillation,
        config=plain_config(config),
        allow_changes=allow_changes,
        **{name: config[name] for name in same_names.split()},
    )


def _classification_evaluator(recipe: Recipe):
    from keras_video.training.classification_evaluator import ClassificationEvaluator

    return ClassificationEvaluator(recipe.model, recipe.val, strategy=recipe.strategy)


def _check_monitor(monitor: str, numbers: Sequence[str]) -> None:
    if monitor not in numbers:
        raise ConfigError(
            f"config.monitor must be one of {', '.join(numbers)}.{did_you_mean(monitor, numbers)} "
            f"Received: {monitor!r}"
        )
