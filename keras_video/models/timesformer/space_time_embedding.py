"""`SpaceTimeEmbedding`: the tokens of a clip."""

import keras
from keras import ops

from keras_video.models.timesformer.residual_branches import initializer


@keras.saving.register_keras_serializable(package="keras_video")
class SpaceTimeEmbedding(keras.layers.Layer):
    """Patches of frames as tokens, with what tells their place and time, after a class token.

    Args:
        patch_size: height and width of a patch.
        hidden_dim: channels of a token.
        times: whether there is an embedding of time, and the frames share one class token;
            otherwise every frame is a sequence of its own.

    Input shape: `(batch, num_frames, height, width, 3)`.
    Output shape: `(batch, 1 + num_frames * patches, hidden_dim)`, frame by frame; without times
        `(batch * num_frames, 1 + patches, hidden_dim)`.
    """

    def __init__(self, patch_size: int, hidden_dim: int, times: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.patch_size, self.hidden_dim, self.times = patch_size, hidden_dim, times

    def build(self, input_shape):
        _, self.num_frames, height, width, channels = input_shape
        self.grid = height // self.patch_size, width // self.patch_size
        self.num_patches = self.grid[0] * self.grid[1]
        self.patches = keras.layers.Conv2D(
            self.hidden_dim,
            self.patch_size,
            strides=self.patch_size,
            kernel_initializer=initializer(self.patch_size**2 * channels),
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="patches",
        )
        self.patches.build((None, height, width, channels))
        small = initializer(self.hidden_dim)
        self.class_token = self.add_weight((1, 1, self.hidden_dim), small, name="class_token")
        self.positions = self.add_weight(
            (1, 1 + self.num_patches, self.hidden_dim), small, name="positions"
        )
        if self.times:
            # Large, unlike the others: attention sees no order of frames until they are told apart.
            # (Published weights began as an image network's, with zeros: `load_image_weights`.)
            self.time_embedding = self.add_weight(
                (1, self.num_frames, self.hidden_dim),
                keras.initializers.TruncatedNormal(stddev=1.0),
                name="times",
            )

    def call(self, clips):
        x = self.patches(ops.reshape(clips, (-1, *clips.shape[2:])))
        x = ops.reshape(x, (-1, self.num_frames, self.num_patches, self.hidden_dim))
        class_position, positions = self.positions[:, :1], self.positions[:, 1:]
        class_token = self.class_token + class_position
        x = x + positions[:, None]
        if self.times:
            x = x + self.time_embedding[:, :, None]
            x = ops.reshape(x, (-1, self.num_frames * self.num_patches, self.hidden_dim))
        else:
            x = ops.reshape(x, (-1, self.num_patches, self.hidden_dim))
        return ops.concatenate([class_token + ops.zeros_like(x[:, :1]), x], axis=1)

    def compute_output_shape(self, input_shape):
        batch, frames, height, width, _ = input_shape
        patches = (height // self.patch_size) * (width // self.patch_size)
        if self.times:
            return (batch, 1 + frames * patches, self.hidden_dim)
        return (None if batch is None else batch * frames, 1 + patches, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "times": self.times,
        }
