"""`FoldTime` and its inverse `UnfoldTime`."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class FoldTime(keras.layers.Layer):
    """Merges time into the batch, so that 2-D layers see one frame a row.

    Input shape: `(batch, time, height, width, channels)`.
    Output shape: `(batch * time, height, width, channels)`.

    Example:

    >>> keras_video.layers.FoldTime()(np.zeros((2, 8, 4, 4, 3))).shape
    (16, 4, 4, 3)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=5)

    def call(self, clips):
        shape = ops.shape(clips)
        return ops.reshape(clips, (-1, *shape[2:]))

    def compute_output_shape(self, input_shape):
        batch, time = input_shape[:2]
        rows = None if batch is None or time is None else batch * time
        return (rows, *input_shape[2:])


@keras.saving.register_keras_serializable(package="keras_video")
class UnfoldTime(keras.layers.Layer):
    """Splits time from the batch again: the inverse of `FoldTime`.

    Input shape: `(batch * num_frames, ...)`.
    Output shape: `(batch, num_frames, ...)`.

    Args:
        num_frames: frames of a clip, a positive integer.

    Example:

    >>> keras_video.layers.UnfoldTime(8)(np.zeros((16, 4, 4, 3))).shape
    (2, 8, 4, 4, 3)
    """

    def __init__(self, num_frames: int, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(num_frames, int) or num_frames < 1:
            raise ValueError(
                f"`num_frames` must be a positive integer. Received: num_frames={num_frames!r}"
            )
        self.num_frames = num_frames

    def call(self, frames):
        shape = ops.shape(frames)
        return ops.reshape(frames, (-1, self.num_frames, *shape[1:]))

    def compute_output_shape(self, input_shape):
        rows = input_shape[0]
        batch = None if rows is None else rows // self.num_frames
        return (batch, self.num_frames, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "num_frames": self.num_frames}
