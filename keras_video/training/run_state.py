"""What a training step changes: taken out of a model and put back, exactly."""

import contextlib
from collections.abc import Iterator, Mapping

import keras
import numpy as np

_MODEL, _OPTIMIZER, _RANDOM = "model/", "optimizer/", "random/"


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
        ValueError: the arrays are of another model or optimizer; nothing was changed.
    """
    variables = _variables(model)
    strange = sorted(set(variables) ^ set(arrays)) or [
        f"{name} {tuple(arrays[name].shape)}, here {tuple(variable.shape)}"
        for name, variable in variables.items()
        if tuple(arrays[name].shape) != tuple(variable.shape)
    ]
    if strange:
        raise ValueError(
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


def _variables(model: keras.Model) -> dict:
    weights = model.weights
    ids = {id(v) for v in (*weights, *model.metrics_variables)}
    generators = [v for v in model.variables if id(v) not in ids]
    variables = {f"{_MODEL}{v.path}": v for v in weights}
    if len(variables) != len(weights):
        raise ValueError(
            "Every weight needs a path of its own: name the layers. "
            f"Received: {len(weights)} weights with {len(variables)} paths"
        )
    variables |= {f"{_RANDOM}{i}": v for i, v in enumerate(generators)}
    for number, variable in enumerate(model.optimizer.variables):
        # Without the optimizer's own name: it counts the optimizers of the process.
        name = variable.path.partition("/")[2] or variable.path
        variables[f"{_OPTIMIZER}{number}:{name}"] = variable
    return variables
