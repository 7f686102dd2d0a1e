"""`DividedSpaceTimeAttention`: attention over time, then within frames."""

import keras
from keras import ops

from keras_video._compat import lowered_for_cpu
from keras_video.layers.drop_path import DropPath
from keras_video.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable(package="keras_video")
class DividedSpaceTimeAttention(keras.layers.Layer):
    """The attention of TimeSformer: every patch sees its own place in all frames, then its frame.

    Two residual branches, each after a layer normalisation of its own:

    - over time, the patches of one place see each other; a dense layer follows. The class token
      takes no part;
    - within each frame, the patches and the class token see each other. The class token becomes
      the mean of what it is in the frames.

    Args:
        num_frames: frames of a clip.
        num_heads: heads of both attentions; must divide the channels.
        drop_path: share of the branches that training drops: over time place by place, within
            frames frame by frame. Defaults to 0.
        epsilon: of the layer normalisations. Defaults to 1e-6.
        remat: whether training computes the activations again on the way back instead of keeping
            them. Defaults to `False`.
        kernel_initializer: of all matrices but the dense layer's over time.
        temporal_initializer: of the dense layer's matrix. Zeros, the default, start as an image
            network does.
        **kwargs: of `keras.layers.Layer`.

    Input and output shape: `(batch, 1 + num_frames * patches, channels)`: the class token, then the
        patches, frame by frame.

    Example:

    >>> layer = keras_video.layers.DividedSpaceTimeAttention(num_frames=8, num_heads=12)
    >>> layer(np.zeros((1, 1 + 8 * 196, 768))).shape
    (1, 1569, 768)

    Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
    https://arxiv.org/abs/2102.05095
    """

    def __init__(
        self,
        num_frames: int,
        num_heads: int,
        drop_path: float = 0.0,
        epsilon: float = 1e-6,
        remat: bool = False,
        kernel_initializer="glorot_uniform",
        temporal_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(num_frames, int) or num_frames < 1:
            raise ValueError(
                f"`num_frames` must be a positive integer. Received: num_frames={num_frames!r}"
            )
        self.num_frames = num_frames
        self.num_heads = num_heads
        self.drop_path = drop_path
        self.epsilon = epsilon
        self.remat = remat
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.temporal_initializer = keras.initializers.get(temporal_initializer)

        def attention(axis, name):
            return SelfAttention(
                num_heads,
                axis,
                kernel_initializer=self.kernel_initializer,
                dtype=self.dtype_policy,
                name=name,
            )

        def norm(name):
            return keras.layers.LayerNormalization(
                epsilon=epsilon, dtype=self.dtype_policy, name=name
            )

        self.temporal_norm, self.spatial_norm = norm("temporal_norm"), norm("spatial_norm")
        self.temporal, self.spatial = attention(1, "temporal"), attention(2, "spatial")
        self.temporal_drop = DropPath(drop_path, (0, 2), dtype=self.dtype_policy)
        self.spatial_drop = DropPath(drop_path, (0, 1), dtype=self.dtype_policy)

    def build(self, input_shape):
        batch, tokens, channels = input_shape
        if tokens is None or (tokens - 1) % self.num_frames or tokens <= self.num_frames:
            raise ValueError(
                "DividedSpaceTimeAttention takes a class token and equally many patches of each of "
                f"the {self.num_frames} frames. Received: input_shape={tuple(input_shape)}"
            )
        patches = (tokens - 1) // self.num_frames
        self.temporal_dense = keras.layers.Dense(
            channels,
            kernel_initializer=self.temporal_initializer,
            dtype=self.dtype_policy,
            name="temporal_dense",
        )
        self.temporal_dense.build((None, channels))
        for layer, rows in (
            (self.temporal_norm, patches),
            (self.temporal, patches),
            (self.spatial_norm, 1 + patches),
            (self.spatial, 1 + patches),
        ):
            layer.build((batch, self.num_frames, rows, channels))

    def call(self, tokens, training=None):
        if not training:
            return self._attend(tokens)
        # Drawn here, once: rematerialised code runs twice.
        frames = ops.reshape(tokens[:, 1:], (-1, self.num_frames, *self._patches(tokens)))
        factors = [drop.draw(frames) for drop in (self.temporal_drop, self.spatial_drop)]
        if None in factors:
            factors = []
        attend = keras.remat(self._attend) if self.remat else self._attend
        return attend(tokens, *factors)

    def _patches(self, tokens) -> tuple[int, int]:
        _, count, channels = tokens.shape
        return (count - 1) // self.num_frames, channels

    def _attend(self, tokens, temporal_factor=1, spatial_factor=1):
        """Both branches; the factors are those of `DropPath`."""
        size, channels = self._patches(tokens)
        class_token = tokens[:, :1]
        patches = ops.reshape(tokens[:, 1:], (-1, self.num_frames, size, channels))

        patches = patches + self._over_time(self.temporal_norm(patches), temporal_factor)

        classes = ops.repeat(class_token[:, None], self.num_frames, axis=1)
        frames = ops.concatenate([classes, patches], axis=2)
        changes = self.spatial(self.spatial_norm(frames)) * spatial_factor
        class_token = class_token + ops.mean(changes[:, :, 0], axis=1, keepdims=True)
        patches = patches + changes[:, :, 1:]
        patches = ops.reshape(patches, (-1, self.num_frames * size, channels))
        return ops.concatenate([class_token, patches], axis=1)

    def _over_time(self, patches, factor):
        shape = ops.shape(patches)
        if lowered_for_cpu.get():
            # One product of both matrices is less work than two products with the patches.
            first, second = self.temporal.projection, self.temporal_dense
            kernel = ops.matmul(first.kernel, second.kernel)
            bias = ops.matmul(first.bias[None], second.kernel)[0] + second.bias
            rows = ops.add(ops.matmul(self.temporal.attend(patches), kernel), bias)
        else:
            changes = self.temporal(patches) * factor
            rows = self.temporal_dense(ops.reshape(changes, (-1, shape[-1])))
        return ops.reshape(rows, (-1, *shape[1:]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_frames": self.num_frames,
            "num_heads": self.num_heads,
            "drop_path": self.drop_path,
            "epsilon": self.epsilon,
            "remat": self.remat,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "temporal_initializer": keras.initializers.serialize(self.temporal_initializer),
        }
