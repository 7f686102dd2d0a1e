"""`SpaceTimeEmbedding`: the tokens of a clip."""

import keras
import numpy as np
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
        # Waves instead of noise: neighbours begin alike, and which is before which can be told from
        # the start. (Published weights began as an image network's: `load_image_weights`.)
        self.positions = self.add_weight(
            (1, 1 + self.num_patches, self.hidden_dim), self._place_waves, name="positions"
        )
        if self.times:
            self.time_embedding = self.add_weight(
                (1, self.num_frames, self.hidden_dim), self._time_waves, name="times"
            )

    def _place_waves(self, shape, dtype=None):
        rows, columns = np.mgrid[: self.grid[0], : self.grid[1]].reshape(2, -1)
        half = self.hidden_dim // 2
        places = [waves(rows, half), waves(columns, self.hidden_dim - half)]
        places = np.concatenate(places, axis=-1)
        # The class token has no place.
        return ops.cast(np.pad(places, ((1, 0), (0, 0)))[None], dtype or "float32")

    def _time_waves(self, shape, dtype=None):
        return ops.cast(waves(np.arange(self.num_frames), shape[-1])[None], dtype or "float32")

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


def waves(numbers: np.ndarray, channels: int) -> np.ndarray:
    """Sines and cosines of numbers, in wavelengths from 4 to 128, in a geometric row.

    Args:
        numbers: `(count,)`.
        channels: of the result.

    Returns:
        float32 `(count, channels)`.

    Reference: Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762
    """
    pairs = max(-(-channels // 2), 1)
    wavelengths = 4.0 * 2.0 ** (np.arange(pairs) * 5 / max(pairs - 1, 1))
    phases = 2 * np.pi * np.asarray(numbers)[:, None] / wavelengths
    both = np.stack([np.sin(phases), np.cos(phases)], axis=-1).reshape(len(phases), -1)
    return both[:, :channels].astype("float32")
