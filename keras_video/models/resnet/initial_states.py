"""`initial_states`: what a stream begins with. Needs no Keras."""

from collections.abc import Iterable, Mapping

import numpy as np


def initial_states(inputs: Mapping, states: Iterable[str], batch: int = 1) -> dict[str, np.ndarray]:
    """Zeros for the states of a step model's first frame.

    Args:
        inputs: the model's, by name; what has a `shape`, batch first.
        states: which of them are states.
        batch: number of streams.

    Raises:
        ValueError: a state's size is not known.
    """
    shapes = {name: tuple(inputs[name].shape)[1:] for name in states}
    for name, shape in shapes.items():
        if None in shape:
            raise ValueError(
                "A stream needs a model for frames of one size: give `step_model` an `image_size`. "
                f"Received: {name} of shape {shape}"
            )
    return {name: np.zeros((batch, *shape), "float32") for name, shape in shapes.items()}
