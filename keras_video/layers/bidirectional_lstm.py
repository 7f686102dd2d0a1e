"""`BidirectionalLSTM`: sequences of different lengths, read forwards and backwards."""

import keras
from keras import ops

from keras_video._compat_lstm import lstm_over_time, takes_own_lstm
from keras_video.layers.peephole_lstm import PeepholeLSTM


@keras.saving.register_keras_serializable(package="keras_video")
class BidirectionalLSTM(keras.layers.Layer):
    """Two LSTMs on sequences of different lengths, one forwards and one backwards.

    Steps that the mask leaves out play no role, wherever they are: each sequence is read from its
    own first step to its own last one, and back. Their outputs are zero.

    Each platform's fast LSTM computes it: cuDNN on a GPU; on CPUs, with TensorFlow, a loop that
    `keras_video` brings. The graph of that loop has no lists of tensors, so that an exported model
    is one that OpenVINO and LiteRT take.

    Args:
        units: cells of each direction.
        peepholes: whether gates see the state of their cell (`PeepholeLSTM`), as in Paddle's
            `dynamic_lstm`. cuDNN has no such LSTM. Defaults to `False`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, time, channels)`.
        mask: `(batch, time)`, true or 1 where a step is real; `None` where all are.
        training: whether a gradient will be asked for.

    Output shape: `(batch, time, 2 * units)`, forwards first.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:

    >>> lstm = keras_video.layers.BidirectionalLSTM(1024)
    >>> mask = np.arange(300) < np.array([[300], [120]])
    >>> lstm(np.zeros((2, 300, 512)), mask=mask).shape
    (2, 300, 2048)
    """

    def __init__(self, units: int, peepholes: bool = False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units!r}")
        self.units = units
        self.peepholes = peepholes
        self.supports_masking = True
        self.directions = [self._direction(name) for name in ("forward", "backward")]

    def _direction(self, name: str) -> keras.layers.Layer:
        if self.peepholes:
            return PeepholeLSTM(self.units, dtype=self.dtype_policy, name=name)
        # Keras' default, orthogonal, has no form in bfloat16.
        return keras.layers.LSTM(
            self.units,
            recurrent_initializer="glorot_uniform",
            return_sequences=True,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape):
        for direction in self.directions:
            direction.build(input_shape)

    def call(self, inputs, mask=None, training=False):
        if mask is None:
            forward, backward = inputs, ops.flip(inputs, axis=1)
            outputs = [self._run(0, forward, training), self._run(1, backward, training)]
            return ops.concatenate([outputs[0], ops.flip(outputs[1], axis=1)], axis=-1)
        real = ops.cast(mask, "bool")
        # Whatever lies there, no number or infinity among it, must not spread.
        inputs = _where(real, inputs)
        outputs = []
        for number, places in enumerate(_places(real)):
            # `places` says where each step goes; sorted, which step comes to each place.
            in_order = _take_steps(inputs, ops.argsort(places, axis=1))
            outputs.append(_take_steps(self._run(number, in_order, training), places))
        return _where(real, ops.concatenate(outputs, axis=-1))

    def _run(self, number: int, inputs, training):
        """One direction, on real steps before all others."""
        lstm = self.directions[number]
        if self.peepholes or not takes_own_lstm():
            return lstm(inputs, training=training)
        cell = lstm.cell
        weights = [
            ops.convert_to_tensor(weight)
            for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
        ]
        return lstm_over_time(inputs, *weights, training=training)

    def multiply_adds(self, input_shape, output_shape) -> dict[str, int]:
        """Those of the gates of both directions, at every step."""
        batch, time, channels = input_shape
        return {"linear": 2 * batch * time * (channels + self.units) * 4 * self.units}

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], 2 * self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "peepholes": self.peepholes}


def _places(real) -> tuple:
    """Where each step is read, forwards and backwards: real ones first, then the others."""
    number = ops.cumsum(ops.cast(real, "int32"), axis=1)
    count = number[:, -1:]
    other = count + ops.cumsum(ops.cast(~real, "int32"), axis=1) - 1
    return ops.where(real, number - 1, other), ops.where(real, count - number, other)


def _take_steps(sequences, steps):
    """`sequences[i, steps[i, t]]` for all i and t."""
    batch, time, channels = ops.shape(sequences)
    rows = ops.reshape(sequences, (-1, channels))
    first = ops.arange(batch, dtype="int32")[:, None] * time
    return ops.take(rows, first + ops.cast(steps, "int32"), axis=0)


def _where(real, values):
    return ops.where(ops.expand_dims(real, -1), values, ops.zeros((), values.dtype))
