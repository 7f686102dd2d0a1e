"""The loop of an LSTM in TensorFlow, as it is fastest on CPUs and as every runtime takes it.

It writes its outputs into one tensor instead of a list of tensors, which OpenVINO and LiteRT lack.
A round of the loop takes several steps: reading and writing one by one costs a quarter more. In
training its gradient is a loop of its own: what the way back needs at each step is computed for all
steps at once, and so is the gradient of the weights, as one product of matrices.

The loops of a graph run one after the other. A step has to read all recurrent weights, of which the
caches of a CPU hold one LSTM's but not those of two: side by side, two take longer than in turns.
"""

import contextlib

import keras

from keras_video._compat import computes_on_cpu, lstms_are_whole, traced_for_export

# Steps in a round of the loop; sequences are padded to a multiple.
ROUND = 10

# Up to how many rows are multiplied by a transposed matrix.
FEW_ROWS = 4

# The collection of a graph that holds what its last loop has written.
_LAST_LOOP = "keras_video/last_loop"


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

    # OpenVINO ignores the peepholes of an ONNX file's LSTMs, without a word.
    if lstms_are_whole.get() and peepholes is None:
        return _as_one_operation(inputs, kernel, recurrent_kernel, bias)
    batch, time, _ = tf.unstack(tf.shape(inputs))
    (channels, gates), units = kernel.shape, recurrent_kernel.shape[0]
    rows = tf.transpose(inputs, (1, 0, 2))
    # Of positive numbers only: ONNX has another remainder of negative ones.
    rounds = (time + ROUND - 1) // ROUND
    rows = tf.pad(rows, [[0, rounds * ROUND - time], [0, 0], [0, 0]])
    dtype = tf.float64 if inputs.dtype == tf.float64 else tf.float32
    projected = tf.matmul(tf.reshape(rows, (-1, channels)), kernel)
    projected = tf.cast(projected, dtype) + tf.cast(bias, dtype)
    projected = tf.reshape(projected, (rounds, ROUND, batch, gates))
    weights = [tf.cast(recurrent_kernel, dtype)]
    if peepholes is not None:
        weights.append(tf.cast(peepholes, dtype))
    if training:
        outputs = _with_own_gradient(projected, *weights)
    else:
        outputs = _run(projected, *weights)
    outputs = tf.reshape(outputs, (-1, batch, units))[:time]
    return tf.cast(tf.transpose(outputs, (1, 0, 2)), inputs.dtype)


def _as_one_operation(inputs, kernel, recurrent_kernel, bias):
    """TensorFlow's own LSTM, for converters to take as a whole."""
    import tensorflow as tf

    units, dtype = recurrent_kernel.shape[0], inputs.dtype
    rows = tf.transpose(inputs, (1, 0, 2))
    state = tf.zeros((tf.shape(inputs)[0], units), dtype)
    outputs = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.cast(tf.shape(rows)[0], tf.int64),
        x=rows,
        cs_prev=state,
        h_prev=state,
        w=tf.cast(tf.concat([kernel, recurrent_kernel], axis=0), dtype),
        **dict.fromkeys(("wci", "wcf", "wco"), tf.zeros(units, dtype)),
        b=tf.cast(bias, dtype),
        use_peephole=False,
    )
    return tf.transpose(outputs.h, (1, 0, 2))


def _run(projected, recurrent_kernel, peepholes=None, keep: bool = False):
    """The outputs `(rounds, ROUND, batch, units)`.

    With `keep`, the last axis has `6 * units`: what the four gates see, the states, the outputs.
    """
    import tensorflow as tf

    units = recurrent_kernel.shape[0]
    product = _product_with(recurrent_kernel, tf.shape(projected)[2])

    def step(seen, output, state):
        seen = seen + product(output)
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
        return row, output, state

    rounds, _, batch, _ = tf.unstack(tf.shape(projected))
    zeros = tf.zeros((batch, units), projected.dtype)
    nothing = tf.zeros((rounds, ROUND, batch, (6 if keep else 1) * units), projected.dtype)
    return _loop(step, projected, (zeros, zeros), nothing)


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
    product = _product_with(tf.transpose(recurrent_kernel), tf.shape(kept)[2])

    def step(row, to_seen, to_state):
        to_output, leave, through, forget, others = tf.split(
            row, [units, units, units, units, 3 * units], axis=1
        )
        to_output += product(to_seen)
        to_leave = to_output * leave
        to_state = to_state + to_output * through
        if peepholes is not None:
            to_state += to_leave * peepholes[2]
        to_others = tf.tile(to_state, (1, 3)) * others
        to_seen = tf.concat([to_others, to_leave], axis=1)
        to_state = to_state * forget
        if peepholes is not None:
            to_enter, to_forget, _ = tf.split(to_others, 3, axis=1)
            to_state += to_enter * peepholes[0] + to_forget * peepholes[1]
        return to_seen, to_seen, to_state

    rounds, _, batch, _ = tf.unstack(tf.shape(kept))
    start = tf.zeros((batch, 4 * units), kept.dtype), tf.zeros((batch, units), kept.dtype)
    nothing = tf.zeros((rounds, ROUND, batch, 4 * units), kept.dtype)
    to_projected = _loop(step, factors, start, nothing, backwards=True)

    last_outputs = tf.reshape(_a_step_later(output), (-1, units))
    to_rows = tf.reshape(to_projected, (-1, 4 * units))
    gradients = [to_projected, tf.matmul(last_outputs, to_rows, transpose_a=True)]
    if peepholes is not None:
        to_enter, to_forget, _, to_leave = tf.split(to_projected, 4, axis=-1)
        pairs = ((to_enter, before), (to_forget, before), (to_leave, state))
        gradients.append(tf.stack([tf.reduce_sum(a * b, axis=(0, 1, 2)) for a, b in pairs]))
    return gradients


def _product_with(matrix, batch):
    """A function that multiplies rows, `batch` of them, by a matrix.

    oneDNN takes half the time for two or three rows if the matrix is transposed, and twice the
    time for sixteen.
    """
    import tensorflow as tf

    if traced_for_export.get():
        return lambda rows: tf.matmul(rows, matrix)
    transposed = tf.transpose(matrix)

    def product(rows):
        return tf.cond(
            batch <= FEW_ROWS,
            lambda: tf.matmul(rows, transposed, transpose_b=True),
            lambda: tf.matmul(rows, matrix),
        )

    return product


def _loop(step, rows, carried: tuple, written, backwards: bool = False):
    """What `step` makes of each row `(batch, channels)` and of what it carried there.

    Args:
        step: takes a row and what is carried, and returns what to write and what to carry on.
        rows: `(rounds, ROUND, batch, channels)`.
        carried: tensors that the first step takes.
        written: zeros, in the shape of the result.
        backwards: whether to begin with the last row.
    """
    import tensorflow as tf

    rounds = tf.shape(rows)[0]
    order = -1 if backwards else 1

    def one_round(number, written, *carried):
        place = rounds - 1 - number if backwards else number
        results = []
        for row in tf.unstack(tf.gather(rows, place))[::order]:
            result, *carried = step(row, *carried)
            results.append(result)
        results = tf.stack(results[::order])[tf.newaxis]
        written = tf.tensor_scatter_nd_update(written, tf.reshape(place, (1, 1)), results)
        return number + 1, written, *carried

    start = (tf.constant(0), written, *carried)
    with _after_the_last_loop() as loops:
        start = [tf.identity(value) for value in start]
        result = tf.while_loop(
            lambda number, *_: number < rounds, one_round, start, parallel_iterations=1
        )[1]
        loops[:] = [result]
    return result


@contextlib.contextmanager
def _after_the_last_loop():
    """What begins within waits for the loop before; yields a list for what it has written."""
    import tensorflow as tf

    if tf.executing_eagerly() or traced_for_export.get():
        yield []
        return
    loops = tf.compat.v1.get_default_graph().get_collection_ref(_LAST_LOOP)
    with tf.control_dependencies(list(loops)):
        yield loops


def _a_step_later(sequence):
    """`(rounds, ROUND, batch, channels)` moved by one step, zeros first."""
    import tensorflow as tf

    shape = tf.shape(sequence)
    steps = tf.reshape(sequence, (-1, shape[2], sequence.shape[3]))
    steps = tf.concat([tf.zeros_like(steps[:1]), steps[:-1]], axis=0)
    return tf.reshape(steps, shape)
