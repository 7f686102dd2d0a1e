"""`TemporalShift`: moves some channels one frame forward and some one frame back."""

import keras
import numpy as np
from keras import ops

from keras_video._compat import lowered_for_cpu


@keras.saving.register_keras_serializable(package="keras_video")
class TemporalShift(keras.layers.Layer):
    """Exchanges channels between neighbouring frames, at no parameters and no multiplications.

    With `c1 = int(channels * shift_ratio)` and `c2 = int(2 * channels * shift_ratio)`:

    - channels `[0, c1)` of frame `t` come from frame `t - 1`;
    - channels `[c1, c2)` come from frame `t + 1` (`direction="both"` only);
    - the others stay; what would come from outside of the clip is zero.

    This is PaddleVideo's order; MIT's and MMAction2's weights have the two groups swapped.
    `direction="past"` moves the first group only, so that frame `t` never depends on later frames:
    such a network can run on a stream, one frame at a time, with explicit state.

    Args:
        shift_ratio: share of the channels that moves in each direction, `0 <= shift_ratio <= 0.5`.
            Defaults to 1/8.
        num_frames: frames of a clip. Needed for inputs of rank 4, where time is folded into the
            batch; `None` (default) for inputs of rank 5.
        direction: `"both"` (default) or `"past"`.

    Call arguments:
        inputs: `(batch, time, height, width, channels)`, or with `num_frames`
            `(batch * num_frames, height, width, channels)`. With `state`: one frame
            `(batch, height, width, channels)`.
        state: what the previous frame left, `(batch, height, width, c1)`, from `initial_state` or
            from the call before (`direction="past"` only).

    Returns:
        The shifted inputs, of the same shape; with `state`, the pair `(outputs, next state)`.

    Example:

    >>> shift = keras_video.layers.TemporalShift()
    >>> shift(np.ones((2, 8, 7, 7, 64))).shape
    (2, 8, 7, 7, 64)
    >>> online = keras_video.layers.TemporalShift(direction="past")
    >>> state = online.initial_state((1, 7, 7, 64))
    >>> for frame in stream:
    ...     outputs, state = online(frame, state=state)

    Reference: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding",
    https://arxiv.org/abs/1811.08383
    """

    def __init__(
        self,
        shift_ratio: float = 0.125,
        num_frames: int | None = None,
        direction: str = "both",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0 <= shift_ratio <= 0.5:
            raise ValueError(
                "`shift_ratio` is the share of channels for each direction and must be between "
                f"0 and 0.5. Received: shift_ratio={shift_ratio!r}"
            )
        if direction not in ("both", "past"):
            raise ValueError(
                f'`direction` must be "both" or "past". Received: direction={direction!r}'
            )
        if num_frames is not None and (not isinstance(num_frames, int) or num_frames < 1):
            raise ValueError(
                "`num_frames` must be a positive integer, or None for inputs of rank 5. "
                f"Received: num_frames={num_frames!r}"
            )
        self.shift_ratio = float(shift_ratio)
        self.num_frames = num_frames
        self.direction = direction

    def call(self, inputs, state=None):
        if state is not None:
            return self._step(inputs, state)
        self._check(inputs.shape)
        if len(inputs.shape) == 5:
            return self._shift(inputs)
        shape = ops.shape(inputs)
        clips = ops.reshape(inputs, (-1, self.num_frames, *shape[1:]))
        return ops.reshape(self._shift(clips), (-1, *shape[1:]))

    def state_channels(self, channels: int) -> int:
        """How many of the channels of a frame the next one gets."""
        return self._split(channels)[0]

    def initial_state(self, frame_shape: tuple[int, ...]):
        """Zeros for the first frame of a stream of `(batch, height, width, channels)` each."""
        channels = self.state_channels(frame_shape[-1])
        return ops.zeros((*frame_shape[:-1], channels), dtype=self.compute_dtype)

    def _check(self, shape) -> None:
        rank, time = len(shape), self.num_frames
        if rank == 5 and time in (None, shape[1]):
            return
        if rank != 4 or time is None:
            raise ValueError(
                "TemporalShift takes clips (batch, time, height, width, channels), or with "
                "`num_frames` frames (batch * num_frames, height, width, channels). "
                f"Received: input_shape={tuple(shape)}, num_frames={time}"
            )
        if shape[0] is not None and shape[0] % time:
            raise ValueError(
                f"{shape[0]} frames are not a whole number of clips. "
                f"Received: input_shape={tuple(shape)}, num_frames={time}"
            )

    def _split(self, channels: int) -> tuple[int, int]:
        forward = int(channels * self.shift_ratio)
        if self.direction == "past":
            return forward, forward
        return forward, int(2 * channels * self.shift_ratio)

    def _shift(self, clips):
        forward, end = self._split(clips.shape[-1])
        if lowered_for_cpu.get():
            return self._shift_by_convolution(clips, forward, end)
        # Splits and slices rather than indexing, whose gradient TensorFlow computes slowly.
        past, future, rest = ops.split(clips, [forward, end], axis=-1)
        batch, time, *frame = ops.shape(clips)

        def cut(part, start):
            size = (batch, time - 1, *frame[:-1], part.shape[-1])
            return ops.slice(part, (0, start, 0, 0, 0), size)

        def zeros(part):
            return ops.zeros((batch, 1, *frame[:-1], part.shape[-1]), dtype=part.dtype)

        parts = []
        if forward:
            parts.append(ops.concatenate([zeros(past), cut(past, 0)], axis=1))
        if end > forward:
            parts.append(ops.concatenate([cut(future, 1), zeros(future)], axis=1))
        if not parts:
            return clips
        return ops.concatenate([*parts, rest], axis=-1)

    def _shift_by_convolution(self, clips, forward: int, end: int):
        """The same as one depthwise convolution over time: a single pass over memory."""
        channels = clips.shape[-1]
        kernel = np.zeros((3, 1, channels, 1), "float32")
        kernel[0, 0, :forward] = kernel[2, 0, forward:end] = kernel[1, 0, end:] = 1
        shape = ops.shape(clips)
        rows = ops.reshape(clips, (-1, shape[1], shape[2] * shape[3], channels))
        kernel = ops.cast(kernel, clips.dtype)
        shifted = ops.depthwise_conv(rows, kernel, padding="same", data_format="channels_last")
        return ops.reshape(shifted, shape)

    def _step(self, frame, state):
        if self.direction != "past":
            raise ValueError(
                'A stream needs `TemporalShift(direction="past")`: frames of the future are not '
                f"known. Received: direction={self.direction!r} with a `state`."
            )
        forward, _ = self._split(frame.shape[-1])
        outputs = ops.concatenate([state, frame[..., forward:]], axis=-1)
        return outputs, frame[..., :forward]

    def compute_output_spec(self, inputs, state=None):
        outputs = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        if state is None:
            self._check(inputs.shape)
            return outputs
        return outputs, keras.KerasTensor(state.shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "shift_ratio": self.shift_ratio,
            "num_frames": self.num_frames,
            "direction": self.direction,
        }
