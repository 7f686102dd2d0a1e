"""`GroupedConv1D`: a convolution over time in groups of channels."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class GroupedConv1D(keras.layers.Layer):
    """A convolution over time, of each group of channels on its own, with padding at both ends.

    `keras.layers.Conv1D(groups=...)` computes the same, in a form that ONNX does not take.

    Weights start as those of BMN: evenly within `1 / sqrt(channels * kernel_size)` of zero.

    Args:
        filters: output channels, a multiple of `groups`.
        kernel_size: steps; odd.
        groups: of input and output channels. Defaults to 1.
        activation: any name that `keras.activations.get` knows. Defaults to `None`.

    Input shape: `(batch, time, channels)`. Output shape: `(batch, time, filters)`.

    Raises:
        ValueError: an argument is out of range, or the groups do not divide the channels.

    Example:

    >>> keras_video.layers.GroupedConv1D(256, 3, groups=4)(np.zeros((1, 100, 400))).shape
    (1, 100, 256)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        groups: int = 1,
        activation: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {"filters": filters, "kernel_size": kernel_size, "groups": groups}
        for name, value in sizes.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if kernel_size % 2 == 0 or filters % groups:
            raise ValueError(
                "`kernel_size` must be odd, and `filters` a multiple of `groups`. "
                f"Received: kernel_size={kernel_size}, filters={filters}, groups={groups}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.groups = groups
        self.activation = activation
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or channels % self.groups:
            raise ValueError(
                "The number of channels must be a multiple of `groups`. "
                f"Received: {channels} channels, groups={self.groups}"
            )
        bound = (channels * self.kernel_size) ** -0.5
        evenly = keras.initializers.RandomUniform(-bound, bound)
        self.kernel = self.add_weight(
            (self.kernel_size, channels // self.groups, self.filters), evenly, name="kernel"
        )
        self.bias = self.add_weight((self.filters,), evenly, name="bias")
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={2: channels})

    def call(self, inputs):
        parts = zip(
            ops.split(inputs, self.groups, axis=-1),
            ops.split(ops.convert_to_tensor(self.kernel), self.groups, axis=-1),
            strict=True,
        )
        outputs = [
            ops.conv(part, kernel, padding="same", data_format="channels_last")
            for part, kernel in parts
        ]
        outputs = ops.concatenate(outputs, axis=-1) + ops.cast(self.bias, outputs[0].dtype)
        return keras.activations.get(self.activation)(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "groups": self.groups,
            "activation": self.activation,
        }
