"""`position_head`: from features of a clip to logits, judged at one or more places of a frame."""

import keras
from keras import ops


def position_head(features: list, num_classes: int, dropout: float, pool_size, average: str):
    """Averages features over time and windows, classifies every window, averages the answers.

    In training there is one window, the whole frame.

    Args:
        features: of one or two pathways, each `(batch, time, height, width, channels)`.
        num_classes: size of the output.
        dropout: share of the features that training drops.
        pool_size: side of the windows in inference, `None` for the whole frame.
        average: `"probabilities"` or `"logits"`, what is averaged over windows.

    Returns:
        Logits `(batch, num_classes)`, float32.
    """
    if average not in ("probabilities", "logits"):
        raise ValueError(
            f'`average` must be "probabilities" or "logits". Received: average={average!r}'
        )
    # The head works in float32 under mixed precision too: it costs nothing.
    means = [ops.mean(ops.cast(pathway, "float32"), axis=1) for pathway in features]
    names = ["windows"] if len(means) == 1 else ["slow_windows", "fast_windows"]
    windows = [
        WindowAverage(pool_size, dtype="float32", name=name)(mean)
        for name, mean in zip(names, means, strict=True)
    ]
    x = windows[0] if len(windows) == 1 else ops.concatenate(windows, axis=-1)
    x = keras.layers.Dropout(dropout, dtype="float32", name="dropout")(x)
    x = keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        dtype="float32",
        name="classifier",
    )(x)
    return PositionAverage(average, dtype="float32", name="position_average")(x)


class WindowAverage(keras.layers.Layer):
    """Means over all square windows of a side, one cell apart; over everything in training.

    A side of the input that is shorter than the window is averaged as a whole.

    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, max(height - size + 1, 1), max(width - size + 1, 1), channels)`.

    Args:
        size: side of the windows; `None` for one window of everything.
    """

    def __init__(self, size: int | None, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs, training=None):
        if training or self.size is None:
            return ops.mean(inputs, axis=(1, 2), keepdims=True)
        _, height, width, channels = ops.shape(inputs)
        # Products with matrices of weights, for sides that are only known when the model runs.
        columns = ops.reshape(inputs, (-1, height, width * channels))
        rows = ops.matmul(self._weights(height), columns)
        rows = ops.reshape(rows, (-1, ops.shape(rows)[1], width, channels))
        return ops.matmul(self._weights(width), rows)

    def _weights(self, side):
        known = isinstance(side, int)
        size = min(self.size, side) if known else ops.minimum(self.size, side)
        first = ops.expand_dims(ops.arange(side - size + 1), 1)
        place = ops.expand_dims(ops.arange(side), 0)
        inside = ops.logical_and(place >= first, place < first + size)
        return ops.cast(inside, "float32") / ops.cast(size, "float32")

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        if self.size is None:
            return (batch, 1, 1, channels)
        # In training it is another: so it is not known.
        sides = [1 if side is not None and side <= self.size else None for side in sides]
        return (batch, *sides, channels)


class PositionAverage(keras.layers.Layer):
    """The answer of several windows: of their probabilities or of their logits.

    The mean of probabilities is returned as logits that have it as their softmax; for one window
    they are the window's own.

    Input shape: `(batch, rows, columns, classes)`.
    Output shape: `(batch, classes)`.

    Args:
        average: `"probabilities"` or `"logits"`.
    """

    def __init__(self, average: str, **kwargs):
        super().__init__(**kwargs)
        self.average = average

    def call(self, inputs):
        mean = ops.mean(inputs, axis=(1, 2))
        if self.average == "logits":
            return mean
        # The logarithm of the mean, without ever taking that of a vanished probability.
        total = ops.logsumexp(inputs, axis=-1, keepdims=True)
        count = ops.logsumexp(ops.zeros_like(total), axis=(1, 2))
        logarithm = ops.logsumexp(inputs - total, axis=(1, 2)) - count
        return logarithm + ops.mean(total, axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
