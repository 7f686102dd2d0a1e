"""`SlowFrames`: the frames of the slow pathway, out of those of the fast one."""

import keras
from keras import ops


class SlowFrames(keras.layers.Layer):
    """Takes one frame out of `alpha`.

    Input shape: `(batch, time, height, width, channels)`.
    Output shape: `(batch, time // alpha, height, width, channels)`.

    Args:
        alpha: frames of the fast pathway for each of the slow one.
        method: `"linspace"`, evenly spaced with the first and the last included, as PySlowFast,
            PyTorchVideo and PaddleVideo have it; `"stride"`, the first of every `alpha`, as
            MMAction2.
    """

    def __init__(self, alpha: int, method: str, **kwargs):
        super().__init__(**kwargs)
        if method not in ("linspace", "stride"):
            raise ValueError(
                f'`slow_frames` must be "linspace" or "stride". Received: slow_frames={method!r}'
            )
        self.alpha, self.method = alpha, method

    def call(self, clips):
        time = ops.shape(clips)[1]
        if isinstance(time, int) and time % self.alpha:
            raise ValueError(
                f"A clip must have a multiple of alpha={self.alpha} frames. Received: {time} frames"
            )
        count = time // self.alpha
        places = ops.arange(count, dtype="int32")
        if self.method == "stride":
            return ops.take(clips, places * self.alpha, axis=1)
        gaps = max(count - 1, 1) if isinstance(count, int) else ops.maximum(count - 1, 1)
        return ops.take(clips, places * (time - 1) // gaps, axis=1)

    def compute_output_shape(self, input_shape):
        batch, time, *rest = input_shape
        return (batch, None if time is None else time // self.alpha, *rest)
