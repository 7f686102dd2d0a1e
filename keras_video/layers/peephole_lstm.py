"""`PeepholeLSTM`: an LSTM whose gates see the state of its cells."""

import keras
from keras import ops

from keras_video._compat_lstm import lstm_over_time


@keras.saving.register_keras_serializable(package="keras_video")
class PeepholeLSTM(keras.layers.Layer):
    """A long short-term memory (LSTM) whose gates see the state of their cell.

    The input and the forget gate see the state before the step, the output gate the one after it.
    Paddle's `dynamic_lstm` computes the same; Keras has no such layer.

    Its bias is one row of `7 * units`: the biases of the input gate, the forget gate, the candidate
    and the output gate, then what the input, forget and output gate take of the state.

    Args:
        units: cells.
        kernel_initializer: of the weights of the inputs.
        recurrent_initializer: of the weights of the last outputs.
        **kwargs: of `keras.layers.Layer`.

    Input shape: `(batch, time, channels)`. Output shape: `(batch, time, units)`.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:

    >>> keras_video.layers.PeepholeLSTM(512)(np.zeros((2, 300, 1024))).shape
    (2, 300, 512)

    Reference: Gers et al., "Learning Precise Timing with LSTM Recurrent Networks",
    https://www.jmlr.org/papers/v3/gers02a.html
    """

    def __init__(
        self,
        units: int,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units!r}")
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape):
        gates = 4 * self.units
        self.kernel = self.add_weight(
            (input_shape[-1], gates), self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, gates), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight((1, 7 * self.units), self._initial_bias, name="bias")

    def _initial_bias(self, shape, dtype=None):
        """Ones for the forget gate, as Keras' LSTM has them, and zeros."""
        ones, zeros = ops.ones((1, self.units), dtype), ops.zeros((1, self.units), dtype)
        return ops.concatenate([zeros, ones, *[zeros] * 5], axis=1)

    def call(self, inputs, training=False):
        if keras.backend.backend() == "tensorflow":
            return lstm_over_time(inputs, *self.weights_of_gates(), training=training)
        return self._scan(inputs, *self.weights_of_gates())

    def weights_of_gates(self) -> tuple:
        """What `lstm_over_time` takes after the inputs."""
        gates = 4 * self.units
        bias = ops.convert_to_tensor(self.bias)[0]
        return (
            ops.convert_to_tensor(self.kernel),
            ops.convert_to_tensor(self.recurrent_kernel),
            bias[:gates],
            ops.reshape(bias[gates:], (3, self.units)),
        )

    def _scan(self, inputs, kernel, recurrent_kernel, bias, peepholes):
        def step(carry, seen):
            output, state = carry
            seen = seen + ops.matmul(output, recurrent_kernel)
            enter, forget, candidate, leave = ops.split(seen, 4, axis=1)
            enter = ops.sigmoid(enter + state * peepholes[0])
            forget = ops.sigmoid(forget + state * peepholes[1])
            state = forget * state + enter * ops.tanh(candidate)
            output = ops.sigmoid(leave + state * peepholes[2]) * ops.tanh(state)
            return (output, state), output

        projected = ops.swapaxes(ops.matmul(inputs, kernel) + bias, 0, 1)
        zeros = ops.zeros((ops.shape(inputs)[0], self.units), projected.dtype)
        _, outputs = ops.scan(step, (zeros, zeros), projected)
        return ops.swapaxes(outputs, 0, 1)

    def multiply_adds(self, input_shape, output_shape) -> dict[str, int]:
        """Those of the gates at every step."""
        batch, time, channels = input_shape
        return {"linear": batch * time * (channels + self.units) * 4 * self.units}

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
