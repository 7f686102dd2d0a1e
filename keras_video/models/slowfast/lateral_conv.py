"""`LateralConv`: a connection between pathways that neither normalises nor rectifies."""

import keras
from keras import ops


class LateralConv(keras.layers.Layer):
    """A convolution over time, with strides and without bias.

    Input shape: `(batch, time, height, width, channels)`.
    Output shape: `(batch, time / stride, height, width, filters)`.

    Args:
        filters: output channels.
        kernel_size: frames that the kernel sees, an odd number.
        stride: frames from one output to the next.
    """

    def __init__(self, filters: int, kernel_size: int, stride: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.stride = filters, kernel_size, stride

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, 1, 1, input_shape[-1], self.filters),
            initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
        )

    def call(self, inputs):
        batch, time, height, width, channels = ops.shape(inputs)
        # A 2-D convolution over time and the pixels in a row.
        rows = ops.reshape(inputs, (batch, time, -1, channels))
        side = self.kernel_size // 2
        rows = ops.pad(rows, [(0, 0), (side, side), (0, 0), (0, 0)])
        outputs = ops.conv(
            rows, self.kernel[:, :, 0], (self.stride, 1), "valid", data_format="channels_last"
        )
        return ops.reshape(outputs, (-1, time // self.stride, height, width, self.filters))

    def compute_output_shape(self, input_shape):
        batch, time, *sides, _ = input_shape
        return (batch, None if time is None else time // self.stride, *sides, self.filters)
