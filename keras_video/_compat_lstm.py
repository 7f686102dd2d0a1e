"""The loop of an LSTM in TensorFlow, as it is fastest on CPUs and as every runtime takes it.

It writes its outputs into one tensor instead of a list of tensors, which OpenVINO and LiteRT lack.
In training its gradient is a loop of its own: what the way back needs at each step is computed for
all steps at once, and so is the gradient of the weights, as one product of matrices.
"""

import keras

from keras_video._compat import computes_on_cpu, traced_for_export


def takes_own_lstm() -> bool:
    """Whether `lstm_over_time` is what to take: elsewhere Keras' own LSTM is, for cuDNN's sake."""
    tensorflow = keras.backend.backend() == "tensorflow"
    return tensorflow and (computes_on_cpu() or traced_for_export.get())


def lstm_over_time(inputs, kernel, recurrent_kernel, bias, peepholes=None, training=False):
    """The outputs of an LSTM at every step. TensorFlow only.

    Its state is float32 in half precisions too.

    Args:
        inputs: `(batch, time, channels)`.
        kernel: `(channels, 4 * units)`, for the input gate, the forget gate, the candidate and the
            output gate.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)`.
        peepholes: `(3, units)`: what the input and the forget gate see of the state before, and the
            output gate of the state after; or `None`.
        training: whether a gradient will be asked for.

    Returns:
        `(batch, time, units)`, of the inputs' dtype.
    """
    import tensorflow as tf

    rows = tf.transpose(inputs, (1, 0, 2))
    time, batch, channels = tf.unstack(tf.shape(rows))
    dtype = tf.float64 if inputs.dtype == tf.float64 else tf.float32
    projected = tf.matmul(tf.reshape(rows, (-1, kernel.shape[0])), kernel)
    projected = tf.cast(projected, dtype) + tf.cast(bias, dtype)
    projected = tf.reshape(projected, (time, batch, kernel.shape[1]))
    weights = [tf.cast(recurrent_kernel, dtype)]
    if peepholes is not None:
        weights.append(tf.cast(peepholes, dtype))
    if training:
        outputs = _with_own_gradient(projected, *weights)
    else:
        outputs = _run(projected, *weights)
    return tf.cast(tf.transpose(outputs, (1, 0, 2)), inputs.dtype)


def _run(projected, recurrent_kernel, peepholes=None, keep: bool = False):
    """The outputs `(time, batch, units)`.

    With `keep`, `(time, batch, 6 * units)`: what the four gates see, the states, the outputs.
    """
    import tensorflow as tf

    time, batch, _ = tf.unstack(tf.shape(projected))
    units = recurrent_kernel.shape[0]

    def step(now, output, state, written):
        seen = tf.gather(projected, now) + tf.matmul(output, recurrent_kernel)
        enter, forget, candidate, leave = tf.split(seen, 4, axis=1)
        if peepholes is not None:
            enter += state * peepholes[0]
            forget += state * peepholes[1]
        state = tf.sigmoid(forget) * state + tf.sigmoid(enter) * tf.tanh(candidate)
        if peepholes is not None:
            leave += state * peepholes[2]
        output = tf.sigmoid(leave) * tf.tanh(state)
        row = output
        if keep and peepholes is None:
            row = tf.concat([seen, state, output], axis=1)
        elif keep:
            row = tf.concat([enter, forget, candidate, leave, state, output], axis=1)
        written = tf.tensor_scatter_nd_update(written, tf.reshape(now, (1, 1)), row[tf.newaxis])
        return now + 1, output, state, written

    zeros = tf.zeros((batch, units), projected.dtype)
    nothing = tf.zeros((time, batch, (6 if keep else 1) * units), projected.dtype)
    return _loop(step, time, (tf.constant(0), zeros, zeros, nothing))[-1]


def _with_own_gradient(projected, *weights):
    import tensorflow as tf

    @tf.custom_gradient
    def run(projected, *weights):
        kept = _run(projected, *weights, keep=True)
        units = weights[0].shape[0]

        def gradient(upstream):
            return _gradient(kept, upstream, *weights)

        return kept[..., 5 * units :], gradient

    return run(projected, *weights)


def _gradient(kept, upstream, recurrent_kernel, peepholes=None) -> list:
    """The gradients of what `_run` takes, from what it has kept and that of its outputs."""
    import tensorflow as tf

    units = recurrent_kernel.shape[0]
    enter, forget, candidate, leave, state, output = tf.split(kept, 6, axis=-1)
    enter, forget, leave = tf.sigmoid(enter), tf.sigmoid(forget), tf.sigmoid(leave)
    candidate, squashed = tf.tanh(candidate), tf.tanh(state)
    before = _a_step_later(state)
    # How much each gate's input changes the state; the output gate's, and the state, the output.
    factors = tf.concat(
        [
            upstream,
            leave * (1 - leave) * squashed,
            leave * (1 - squashed**2),
            forget,
            enter * (1 - enter) * candidate,
            forget * (1 - forget) * before,
            enter * (1 - candidate**2),
        ],
        axis=-1,
    )
    time, batch, _ = tf.unstack(tf.shape(upstream))

    def step(now, to_seen, to_state, written):
        rows = tf.gather(factors, time - 1 - now)
        of_output, leave, through, forget, others = tf.split(
            rows, [units, units, units, units, 3 * units], axis=1
        )
        to_output = of_output + tf.matmul(to_seen, recurrent_kernel, transpose_b=True)
        to_leave = to_output * leave
        to_state = to_state + to_output * through
        if peepholes is not None:
            to_state = to_state + to_leave * peepholes[2]
        to_others = tf.tile(to_state, (1, 3)) * others
        to_seen = tf.concat([to_others, to_leave], axis=1)
        to_state = to_state * forget
        if peepholes is not None:
            to_enter, to_forget, _ = tf.split(to_others, 3, axis=1)
            to_state += to_enter * peepholes[0] + to_forget * peepholes[1]
        place = tf.reshape(time - 1 - now, (1, 1))
        written = tf.tensor_scatter_nd_update(written, place, to_seen[tf.newaxis])
        return now + 1, to_seen, to_state, written

    start = tf.zeros((batch, 4 * units), kept.dtype)
    nothing = tf.zeros((time, batch, 4 * units), kept.dtype)
    zeros = tf.zeros((batch, units), kept.dtype)
    to_projected = _loop(step, time, (tf.constant(0), start, zeros, nothing))[-1]

    last_outputs = tf.reshape(_a_step_later(output), (-1, units))
    to_rows = tf.reshape(to_projected, (-1, 4 * units))
    gradients = [to_projected, tf.matmul(last_outputs, to_rows, transpose_a=True)]
    if peepholes is not None:
        to_enter, to_forget, _, to_leave = tf.split(to_projected, 4, axis=-1)
        pairs = ((to_enter, before), (to_forget, before), (to_leave, state))
        gradients.append(tf.stack([tf.reduce_sum(a * b, axis=(0, 1)) for a, b in pairs]))
    return gradients


def _loop(step, time, start: tuple) -> tuple:
    import tensorflow as tf

    return tf.while_loop(lambda now, *_: now < time, step, start, parallel_iterations=1)


def _a_step_later(sequence):
    """`(time, ...)` moved by one step, zeros first."""
    import tensorflow as tf

    return tf.concat([tf.zeros_like(sequence[:1]), sequence[:-1]], axis=0)
