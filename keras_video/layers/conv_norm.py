"""`ConvNorm`: convolution, batch normalisation and activation in one layer."""

import keras
from keras import ops

from keras_video._compat import add
from keras_video.layers.batch_norm import BatchNorm


@keras.saving.register_keras_serializable(package="keras_video")
class ConvNorm(keras.layers.Layer):
    """A 2-D convolution without bias, batch normalisation, and an optional activation.

    In inference the normalisation is folded into the kernel (in float32, whatever the compute
    dtype), which saves a pass over the activations; in training it is the usual layer, reachable as
    `layer.norm`. Padding is symmetric, `(kernel_size - 1) // 2` on each side, also with strides,
    where Keras' `padding="same"` would pad one side more.

    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Args:
        filters: output channels.
        kernel_size: odd integer.
        strides: integer. Defaults to 1.
        activation: `None`, `"relu"`, or any name that `keras.activations.get` knows;
            `"leaky_relu"` has the slope 0.01 that PaddlePaddle and torch default to.
        momentum: of the moving statistics: `moving = momentum * moving + (1 - momentum) * batch`.
            Defaults to 0.9, the 0.1 of torch.
        epsilon: added to the variance. Defaults to 1e-5.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).

    Example:

    >>> layer = keras_video.layers.ConvNorm(32, 3, strides=2, activation="relu")
    >>> layer(np.zeros((1, 9, 9, 3))).shape
    (1, 5, 5, 32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        activation: str | None = None,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if kernel_size % 2 == 0:
            raise ValueError(
                f"Symmetric padding needs an odd kernel. Received: kernel_size={kernel_size}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = activation
        self.synchronized = synchronized
        self.norm = BatchNorm(
            momentum=momentum,
            epsilon=epsilon,
            synchronized=synchronized,
            dtype=self.dtype_policy,
            name="norm",
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            # He et al. without truncation.
            initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
            autocast=False,
        )
        self.norm.build((*input_shape[:-1], self.filters))
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs, training=None):
        if training and self.norm.trainable:
            outputs = self.norm(self._convolve(inputs, self.kernel), training=True)
        else:
            norm = self.norm
            scale = norm.gamma * ops.rsqrt(norm.moving_variance + norm.epsilon)
            offset = norm.beta - norm.moving_mean * scale
            outputs = self._convolve(inputs, self.kernel * scale)
            outputs = ops.add(outputs, ops.cast(offset, self.compute_dtype))
        return activate(outputs, self.activation)

    def _convolve(self, inputs, kernel):
        padding = "same"
        if self.strides > 1:
            padding = "valid"
            side = (self.kernel_size - 1) // 2
            if side:
                inputs = ops.pad(inputs, [[0, 0], [side, side], [side, side], [0, 0]])
        return ops.conv(
            inputs,
            ops.cast(kernel, self.compute_dtype),
            strides=self.strides,
            padding=padding,
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape):
        sides = [None if s is None else -(-s // self.strides) for s in input_shape[1:3]]
        return (input_shape[0], *sides, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": self.activation,
            "momentum": self.norm.momentum,
            "epsilon": self.norm.epsilon,
            "synchronized": self.synchronized,
        }


def activate(inputs, activation: str | None):
    """Applies an activation by name; `"leaky_relu"` with slope 0.01."""
    if activation == "leaky_relu":
        return ops.leaky_relu(inputs, negative_slope=0.01)
    return keras.activations.get(activation)(inputs)


def add_activate(branch, shortcut, activation: str | None):
    """The end of a residual block: `activation(branch + shortcut)`."""
    outputs = add(branch, shortcut)
    if activation != "leaky_relu":
        return activate(outputs, activation)
    # TensorFlow's oneDNN kernel for convolution + bias + sum + leaky ReLU ignores the slope and
    # uses 0.2 (TF 2.21). A reshape, which moves no memory, keeps the activation out of it.
    shape = ops.shape(outputs)
    rows = ops.reshape(outputs, (-1, shape[-1]))
    return ops.reshape(activate(rows, activation), shape)
