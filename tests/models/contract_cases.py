"""The small models that every shared contract is applied to. A new model adds one line."""

import numpy as np

# Class name in `keras_video.models` -> arguments of a small model.
CASES = {
    "TSN": {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8},
    "TSM": {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8},
    "PPTSN": {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8},
    "PPTSM": {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8},
}


def build(name: str, **overrides):
    """A small model with weights that depend on their names only."""
    import keras_video

    model = getattr(keras_video.models, name)(**{**CASES[name], **overrides})
    draw_weights(model)
    return model


def draw_weights(model) -> None:
    """Fills the model with moderate weights, batch-norm statistics included."""
    from golden import synth

    for weight in model.weights:
        low, high = (0.5, 1.5) if weight.path.endswith(("gamma", "moving_variance")) else (-1, 1)
        if weight.path.endswith("kernel"):
            fan_in = np.prod(weight.shape[:-1])
            high = np.sqrt(3 / fan_in)
            low = -high
        weight.assign(synth.tensor(weight.path, tuple(weight.shape), ["uniform", low, high]))


def clips(batch: int = 2, frames: int = 4, height: int = 45, width: int = 64) -> np.ndarray:
    """Clips `(batch, time, height, width, 3)` of raw RGB, odd in height."""
    from golden import synth

    values = synth.clip("contract", (batch, frames, 3, height, width))
    return np.clip(values * 60 + 120, 0, 255).transpose(0, 1, 3, 4, 2).astype("uint8")
