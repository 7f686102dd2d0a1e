"""`SelfAttention`: multi-head attention along one axis."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention along one axis, with one matrix for queries, keys and values.

    The columns of the matrix are the queries of all heads, then the keys, then the values, as in
    vision transformers (ViT, TimeSformer).

    Args:
        num_heads: heads; must divide the channels.
        axis: the axis whose indices see each other; every other one is a batch. Defaults to 1.
        kernel_initializer: of both matrices.
        **kwargs: of `keras.layers.Layer`.

    Input and output shape: `(batch, tokens, channels)`, or `(batch, time, tokens, channels)` with
        `axis=1` for attention over time and `axis=2` for attention within frames.

    Example:

    >>> keras_video.layers.SelfAttention(num_heads=12)(np.zeros((2, 197, 768))).shape
    (2, 197, 768)

    Reference: Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762
    """

    def __init__(
        self, num_heads: int, axis: int = 1, kernel_initializer="glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        if not isinstance(num_heads, int) or num_heads < 1:
            raise ValueError(
                f"`num_heads` must be a positive integer. Received: num_heads={num_heads!r}"
            )
        if axis not in (1, 2):
            raise ValueError(f"`axis` must be 1 or 2. Received: axis={axis!r}")
        self.num_heads = num_heads
        self.axis = axis
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        channels = input_shape[-1]
        if self.axis >= len(input_shape) - 1 or len(input_shape) > 4:
            raise ValueError(
                "SelfAttention takes (batch, tokens, channels) or (batch, time, tokens, channels), "
                f"and an axis of them. Received: input_shape={tuple(input_shape)}, axis={self.axis}"
            )
        if channels % self.num_heads:
            raise ValueError(
                "`num_heads` must divide the channels. "
                f"Received: num_heads={self.num_heads}, channels={channels}"
            )
        options = {"kernel_initializer": self.kernel_initializer, "dtype": self.dtype_policy}
        self.qkv = keras.layers.Dense(3 * channels, name="qkv", **options)
        self.projection = keras.layers.Dense(channels, name="projection", **options)
        for layer in (self.qkv, self.projection):
            layer.build((None, channels))

    def call(self, inputs):
        return ops.reshape(self.projection(self.attend(inputs)), (-1, *ops.shape(inputs)[1:]))

    def attend(self, inputs):
        """What `projection` takes: the heads side by side, in rows `(-1, channels)`."""
        shape = ops.shape(inputs)
        channels, size = shape[-1], shape[-1] // self.num_heads
        rows = self.qkv(ops.reshape(inputs, (-1, channels)))
        qkv = ops.reshape(rows, (-1, *shape[1:-1], 3, self.num_heads, size))
        # To (3, batch, ..., heads, axis, size).
        rank = len(shape)
        others = [axis for axis in range(rank - 1) if axis != self.axis]
        qkv = ops.transpose(qkv, (rank - 1, *others, rank, self.axis, rank + 1))
        query, key, value = ops.unstack(qkv, 3)
        scores = ops.matmul(query * size**-0.5, ops.swapaxes(key, -1, -2))
        attended = ops.matmul(ops.softmax(scores), value)
        now = [*others, "heads", self.axis]
        order = [now.index(axis) for axis in (*range(rank - 1), "heads")]
        return ops.reshape(ops.transpose(attended, (*order, rank)), (-1, channels))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "axis": self.axis,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
