"""What a block of TimeSformer has besides `DividedSpaceTimeAttention`: `x + branch(norm(x))`."""

import math

import keras
from keras import ops

from keras_video.layers.drop_path import DropPath
from keras_video.layers.self_attention import SelfAttention


def initializer(fan_in: int) -> keras.initializers.Initializer:
    """Of matrices: as published for 768 channels, and the same variance of outputs for others."""
    return keras.initializers.TruncatedNormal(stddev=0.02 * math.sqrt(768 / fan_in))


class ResidualBranch(keras.layers.Layer):
    """`x + branch(norm(x))`, with stochastic depth; a subclass defines `branch(tokens)`.

    Args:
        drop_path: share of the samples whose branch training drops.
        epsilon: of the layer normalisation.
        remat: whether training computes the activations again on the way back.

    Input and output shape: `(batch, tokens, channels)`.
    """

    def __init__(
        self, drop_path: float = 0.0, epsilon: float = 1e-6, remat: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.drop_path, self.epsilon, self.remat = drop_path, epsilon, remat
        self.norm = keras.layers.LayerNormalization(
            epsilon=epsilon, dtype=self.dtype_policy, name="norm"
        )
        self.drop = DropPath(drop_path, dtype=self.dtype_policy)

    def call(self, tokens, training=None):
        # Drawn here, once: rematerialised code runs twice.
        factor = self.drop.draw(tokens) if training else None

        def add_branch(tokens, factor=None):
            changes = self.branch(self.norm(tokens))
            return tokens + (changes if factor is None else changes * factor)

        if training and self.remat:
            add_branch = keras.remat(add_branch)
        return add_branch(tokens) if factor is None else add_branch(tokens, factor)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "drop_path": self.drop_path,
            "epsilon": self.epsilon,
            "remat": self.remat,
        }


@keras.saving.register_keras_serializable(package="keras_video")
class ResidualAttention(ResidualBranch):
    """A residual branch of self-attention over all tokens."""

    def __init__(self, num_heads: int, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.attention = SelfAttention(
            self.num_heads,
            kernel_initializer=initializer(input_shape[-1]),
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention.build(input_shape)

    def branch(self, tokens):
        return self.attention(tokens)

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads}


@keras.saving.register_keras_serializable(package="keras_video")
class ResidualMLP(ResidualBranch):
    """A residual branch of two dense layers, with exact GELU between them."""

    def __init__(self, hidden_dim: int, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim

    def build(self, input_shape):
        channels = input_shape[-1]
        self.norm.build(input_shape)
        options = {"kernel_initializer": initializer(channels), "dtype": self.dtype_policy}
        self.expansion = keras.layers.Dense(self.hidden_dim, name="expansion", **options)
        self.projection = keras.layers.Dense(channels, name="projection", **options)
        self.expansion.build((None, channels))
        self.projection.build((None, self.hidden_dim))

    def branch(self, tokens):
        rows = self.expansion(ops.reshape(tokens, (-1, tokens.shape[-1])))
        rows = self.projection(exact_gelu(rows))
        return ops.reshape(rows, (-1, *tokens.shape[1:]))

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}


def exact_gelu(x):
    """GELU with the error function, in the form that TensorFlow fuses and ONNX knows."""
    return 0.5 * x * (1.0 + ops.erf(x * 0.5**0.5))
