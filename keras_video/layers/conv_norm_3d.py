"""`ConvNorm3D`: convolution in space, time or both, batch normalisation and activation."""

import keras
from keras import ops

from keras_video._compat import computes_on_cpu, conv_over_time, lowered_for_cpu
from keras_video.layers.batch_norm import BatchNorm
from keras_video.layers.conv_norm import activate, add_activate


@keras.saving.register_keras_serializable(package="keras_video")
class ConvNorm3D(keras.layers.Layer):
    """A 3-D convolution without bias, batch normalisation, and an optional sum and activation.

    The sibling of `ConvNorm` for clips. It computes 2-D convolutions: kernels of one frame work on
    frames, those of one pixel on time and the pixels in a row, others on frames with their
    neighbours stacked as channels. That is as fast as a 3-D convolution or faster, also under XLA,
    and needs no 3-D kernels of a runtime. In inference the normalisation is folded into the kernel;
    in training it is the layer `layer.norm`. Padding is symmetric in space and time,
    `kernel // 2` on each side, also with strides.

    Input shape: `(batch, time, height, width, channels)`.
    Output shape: `(batch, ceil(time / t), ceil(height / s), ceil(width / s), filters)` for the
    strides `(t, s, s)`.

    Args:
        filters: output channels.
        kernel_size: `(time, height, width)`, odd numbers, height equal to width.
        strides: `(time, height, width)`, height equal to width. Defaults to 1 everywhere. A kernel
            over time and space has no stride in time.
        activation: `None`, `"relu"`, or any name that `keras.activations.get` knows.
        zero_scale: whether the scale of the normalisation starts at zero, as at the end of residual
            branches, so that a block starts as the identity. Defaults to `False`.
        momentum: of the moving statistics. Defaults to 0.9.
        epsilon: added to the variance. Defaults to 1e-5.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).

    Call arguments:
        inputs: clips.
        residual: added before the activation; of the shape of the output.

    Example:

    >>> layer = keras_video.layers.ConvNorm3D(32, (3, 1, 1), activation="relu")
    >>> layer(np.zeros((1, 8, 14, 14, 64))).shape
    (1, 8, 14, 14, 32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, int, int],
        strides: tuple[int, int, int] = (1, 1, 1),
        activation: str | None = None,
        zero_scale: bool = False,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        kernel_size, strides = tuple(kernel_size), tuple(strides)
        for name, sizes in (("kernel_size", kernel_size), ("strides", strides)):
            if len(sizes) != 3 or min(sizes) < 1 or sizes[1] != sizes[2]:
                raise ValueError(
                    f"`{name}` must be (time, side, side), whole numbers from 1. "
                    f"Received: {name}={sizes!r}"
                )
        if any(size % 2 == 0 for size in kernel_size):
            raise ValueError(
                f"Symmetric padding needs odd kernels. Received: kernel_size={kernel_size}"
            )
        if kernel_size[0] == 1 < strides[0] or (1 not in kernel_size and strides[0] > 1):
            raise ValueError(
                "Strides in time need a kernel in time alone. "
                f"Received: kernel_size={kernel_size}, strides={strides}"
            )
        if kernel_size[0] > 1 == kernel_size[1] < strides[1]:
            raise ValueError(
                "Strides in space need a kernel in space, or of one frame. "
                f"Received: kernel_size={kernel_size}, strides={strides}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = activation
        self.zero_scale = zero_scale
        self.synchronized = synchronized
        self.norm = BatchNorm(
            momentum=momentum,
            epsilon=epsilon,
            synchronized=synchronized,
            gamma_initializer="zeros" if zero_scale else "ones",
            dtype=self.dtype_policy,
            name="norm",
        )
        self.input_spec = keras.layers.InputSpec(ndim=5)

    def build(self, inputs_shape, residual_shape=None):
        channels = inputs_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.filters),
            # As SlowFast's authors draw them: He et al. without truncation, by outputs.
            initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
            autocast=False,
        )
        self.norm.build((None, None, None, self.filters))
        self.input_spec = keras.layers.InputSpec(ndim=5, axes={-1: channels})

    def call(self, inputs, residual=None, training=None):
        if training and self.norm.trainable:
            outputs = self._convolve(inputs, self.kernel, computes_on_cpu())
            outputs = self.norm(_frame_by_frame(outputs, self.filters), training=True)
        else:
            norm = self.norm
            scale = norm.gamma * ops.rsqrt(norm.moving_variance + norm.epsilon)
            offset = norm.beta - norm.moving_mean * scale
            outputs = self._convolve(inputs, self.kernel * scale, lowered_for_cpu.get())
            offset = ops.tile(offset, outputs.shape[-1] // self.filters)
            outputs = ops.add(outputs, ops.cast(offset, self.compute_dtype))
        if residual is None:
            outputs = activate(outputs, self.activation)
        else:
            # Next to the convolution, without a change of shape between: so TensorFlow fuses them.
            residual = ops.reshape(residual, ops.shape(outputs))
            outputs = add_activate(outputs, residual, self.activation)
        return self._as_clips(outputs, inputs)

    def _convolve(self, inputs, kernel, on_cpu: bool):
        """The convolution, as `(batch, time, height * width, channels)` or frames in a row.

        The outputs of neighbouring frames may lie side by side as channels: `_frame_by_frame`.
        """
        batch, time, height, width, channels = ops.shape(inputs)
        frames, side, _ = self.kernel_size
        kernel = ops.cast(kernel, self.compute_dtype)
        if frames > 1 == side:
            rows = ops.reshape(inputs, (batch, time, -1, channels))
            # With few filters, matrix products gain nothing.
            if on_cpu and self.strides[0] == 1 and self.filters >= 64:
                return conv_over_time(rows, kernel[:, :, 0])
            return _conv(rows, kernel[:, :, 0], self.strides[:2])
        if frames > 1 and on_cpu:
            return _conv_3d(inputs, kernel, self.strides)
        if frames > 1:
            inputs = _with_neighbours(inputs, frames)
            kernel = ops.moveaxis(kernel, 0, 2)
            kernel = ops.reshape(kernel, (side, side, frames * channels, self.filters))
            channels = frames * channels
        else:
            kernel = kernel[0]
        rows = ops.reshape(inputs, (-1, height, width, channels))
        return _conv(rows, kernel, self.strides[1:])

    def _as_clips(self, outputs, inputs):
        outputs = _frame_by_frame(outputs, self.filters)
        _, *sizes, _ = self.compute_output_shape(ops.shape(inputs))
        return ops.reshape(outputs, (-1, *sizes, self.filters))

    def compute_output_shape(self, inputs_shape, residual_shape=None):
        sizes = [
            None if size is None else (size + stride - 1) // stride
            for size, stride in zip(inputs_shape[1:4], self.strides, strict=True)
        ]
        return (inputs_shape[0], *sizes, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": self.activation,
            "zero_scale": self.zero_scale,
            "momentum": self.norm.momentum,
            "epsilon": self.norm.epsilon,
            "synchronized": self.synchronized,
        }


def _conv(rows, kernel, strides: tuple[int, int]):
    """A 2-D convolution with `size // 2` of padding on every side."""
    padding = "same"
    if max(strides) > 1:
        padding = "valid"
        sides = [(size // 2, size // 2) for size in kernel.shape[:2]]
        if any(map(any, sides)):
            rows = ops.pad(rows, [(0, 0), *sides, (0, 0)])
    return ops.conv(rows, kernel, strides=strides, padding=padding, data_format="channels_last")


def _conv_3d(clips, kernel, strides: tuple[int, int, int]):
    """A 3-D convolution, of two frames at once where that fills the registers of a CPU better.

    A second copy of the kernel, one frame later, makes the second frame: a sixth more of arithmetic
    on vectors that are full instead of half empty.
    """
    frames, side, _, _, filters = kernel.shape
    padding = [(0, 0), *((size // 2, size // 2) for size in (frames, side, side)), (0, 0)]
    if filters <= 8 and isinstance(clips.shape[1], int) and clips.shape[1] % 2 == 0:
        none = [(0, 0)] * 4
        kernel = ops.concatenate(
            [ops.pad(kernel, [(0, 1), *none]), ops.pad(kernel, [(1, 0), *none])], axis=-1
        )
        strides = (2, *strides[1:])
    outputs = ops.conv(
        ops.pad(clips, padding), kernel, strides, padding="valid", data_format="channels_last"
    )
    return ops.reshape(outputs, (-1, *ops.shape(outputs)[2:]))


def _frame_by_frame(outputs, filters: int):
    """Puts frames that lie side by side as channels one after the other."""
    if outputs.shape[-1] == filters:
        return outputs
    _, height, width, channels = ops.shape(outputs)
    outputs = ops.reshape(outputs, (-1, height, width, channels // filters, filters))
    outputs = ops.transpose(outputs, (0, 3, 1, 2, 4))
    return ops.reshape(outputs, (-1, height, width, filters))


def _with_neighbours(clips, count: int):
    """Every frame with those before and after it, side by side as channels; zeros beyond."""
    time = ops.shape(clips)[1]
    side = count // 2
    padded = ops.pad(clips, [(0, 0), (side, side), (0, 0), (0, 0), (0, 0)])
    return ops.concatenate([padded[:, i : i + time] for i in range(count)], axis=-1)
