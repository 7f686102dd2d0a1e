"""`DropPath`: leaves out the residual branch of some samples (stochastic depth)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class DropPath(keras.layers.Layer):
    """Stochastic depth: training leaves out a residual branch for some samples.

    Whole rows become zero with probability `rate`, and the others grow by `1 / (1 - rate)`, so that
    the mean stays. Inference changes nothing.

    Args:
        rate: share of the rows that training drops, `0 <= rate < 1`.
        axes: axes along which each index is drawn on its own. Defaults to the batch, `(0,)`. With
            `axes=(0, 1)` and inputs `(batch, time, tokens, channels)` every frame has its own draw.
        seed: integer for the same draws in every run, or `None`.

    Input and output shape: any.

    Example:

    >>> drop_path = keras_video.layers.DropPath(0.1)
    >>> tokens = tokens + drop_path(branch(tokens), training=True)

    Reference: Huang et al., "Deep Networks with Stochastic Depth",
    https://arxiv.org/abs/1603.09382
    """

    def __init__(
        self, rate: float, axes: tuple[int, ...] = (0,), seed: int | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(
                "`rate` is the share of the rows that training drops: from 0, and below 1. "
                f"Received: rate={rate!r}"
            )
        self.rate = float(rate)
        self.axes = tuple(axes)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if rate else None
        self.built = True

    def call(self, inputs, training=None):
        factors = self.draw(inputs) if training else None
        return inputs if factors is None else inputs * factors

    def draw(self, inputs):
        """What training multiplies `inputs` with: 0 or `1 / (1 - rate)`; `None` at rate 0.

        For code that runs a branch twice, such as a rematerialised one, with one draw.
        """
        if not self.rate:
            return None
        sizes = ops.shape(inputs)
        shape = [size if axis in self.axes else 1 for axis, size in enumerate(sizes)]
        kept = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        return ops.cast(kept, inputs.dtype) / (1 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "axes": self.axes, "seed": self.seed}
