"""What a training step changes: taken out of a model and put back, exactly."""

import contextlib
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

_MODEL, _OPTIMIZER, _RANDOM = "model/", "optimizer/", "random/"


class RunMismatchError(ValueError):
    """The checkpoints in a directory are of a run that this one cannot go on with."""


def take_state(model: keras.Model) -> dict[str, np.ndarray]:
    """Returns every array that training changes: weights, optimizer, random generators.

    Args:
        model: a compiled model whose optimizer is built.

    Returns:
        `{name: array}`: weights by their paths; the rest by number, as their paths repeat.
    """
    return {name: keras.ops.convert_to_numpy(v.value) for name, v in _variables(model).items()}


def put_state(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Puts back what `take_state` returned.

    Raises:
        RunMismatchError: the arrays are of another model or optimizer; nothing was changed.
    """
    variables = _variables(model)
    strange = sorted(set(variables) ^ set(arrays)) or [
        f"{name} {tuple(arrays[name].shape)}, here {tuple(variable.shape)}"
        for name, variable in variables.items()
        if tuple(arrays[name].shape) != tuple(variable.shape)
    ]
    if strange:
        raise RunMismatchError(
            "The checkpoint is of another model or optimizer. Received: "
            f"{', '.join(strange[:4])}{' ...' if len(strange) > 4 else ''}"
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """The model with the optimizer's averaged weights (`use_ema=True`) for a while."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    weights = model.trainable_variables
    raw = [keras.ops.convert_to_numpy(v.value) for v in weights]
    optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for variable, value in zip(weights, raw, strict=True):
            variable.assign(value)


def spread_seeds(model: keras.Model) -> None:
    """Lets each replica draw other numbers, after all have got the same random state.

    The first replica, whose state `take_state` takes, keeps its own.
    """
    strategy, seeds = model.distribute_strategy, _seeds(model)
    if strategy.num_replicas_in_sync == 1 or not seeds:
        return

    @tf.function(autograph=False)
    def add_number_of_replica():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        for seed in seeds:
            seed.assign(seed.value + tf.cast(tf.stack([number, 0]), seed.dtype))

    strategy.run(add_number_of_replica)


def _seeds(model: keras.Model) -> list:
    """The states of the random generators in a model, such as those of dropout."""
    others = {id(v) for v in (*model.weights, *model.metrics_variables)}
    return [v for v in model.variables if id(v) not in others]


def _variables(model: keras.Model) -> dict:
    weights = model.weights
    variables = {f"{_MODEL}{v.path}": v for v in weights}
    if len(variables) != len(weights):
        raise ValueError(
            "Every weight needs a path of its own: name the layers. "
            f"Received: {len(weights)} weights with {len(variables)} paths"
        )
    variables |= {f"{_RANDOM}{i}": v for i, v in enumerate(_seeds(model))}
    for number, variable in enumerate(model.optimizer.variables):
        # Without the optimizer's own name: it counts the optimizers of the process.
        name = variable.path.partition("/")[2] or variable.path
        # A constant rate is an argument of the run, not its state.
        if name != "learning_rate":
            variables[f"{_OPTIMIZER}{number}:{name}"] = variable
    return variables
