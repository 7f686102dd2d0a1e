"""LSTMs over sequences of different lengths compute what the equations say, in any form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video import _compat_lstm
from keras_video._compat import tracing_for_export
from keras_video.layers import BidirectionalLSTM, PeepholeLSTM
from keras_video.layers import bidirectional_lstm as module
from keras_video.testing import draw_weights

LENGTHS = np.array([6, 1, 3, 0])
MASK = np.arange(6) < LENGTHS[:, None]


def sequences(seed=0, channels=3):
    return np.random.default_rng(seed).normal(size=(len(LENGTHS), 6, channels)).astype("float32")


def drawn(layer, channels=3):
    layer.build((None, None, channels))
    draw_weights(layer)
    return layer


def compiled(layer):
    return tf.function(layer, autograph=False)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_by_equations(sequence, kernel, recurrent, bias, peepholes=None):
    """One sequence `(time, channels)`, in float64."""
    units = len(recurrent)
    output, state, outputs = np.zeros(units), np.zeros(units), []
    to_enter, to_forget, to_leave = np.zeros((3, units)) if peepholes is None else peepholes
    for row in sequence:
        seen = row @ kernel + output @ recurrent + bias
        enter, forget, candidate, leave = np.split(seen, 4)
        enter = sigmoid(enter + to_enter * state)
        forget = sigmoid(forget + to_forget * state)
        state = forget * state + enter * np.tanh(candidate)
        output = sigmoid(leave + to_leave * state) * np.tanh(state)
        outputs.append(output)
    return np.array(outputs).reshape(-1, units)


def weights_of(direction):
    arrays = [np.asarray(weight).astype("float64") for weight in direction.weights]
    if isinstance(direction, PeepholeLSTM):
        kernel, recurrent, bias = arrays
        gates = recurrent.shape[1]
        return kernel, recurrent, bias[0, :gates], bias[0, gates:].reshape(3, -1)
    return arrays


def expected_outputs(layer, inputs, lengths):
    forward, backward = map(weights_of, layer.directions)
    outputs = np.zeros((*inputs.shape[:2], 2 * layer.units))
    for row, sequence, length in zip(outputs, inputs, lengths, strict=True):
        real = sequence[:length]
        row[:length, : layer.units] = lstm_by_equations(real, *forward)
        row[:length, layer.units :] = lstm_by_equations(real[::-1], *backward)[::-1]
    return outputs


@pytest.fixture(params=[False, True], ids=["plain", "peepholes"])
def layer(request):
    return drawn(BidirectionalLSTM(5, peepholes=request.param, name="lstm"))


@pytest.fixture(params=[True, False], ids=["few rows", "many rows"])
def either_product(request, monkeypatch):
    """Few rows are multiplied by the weights in another way than many."""
    monkeypatch.setattr(_compat_lstm, "FEW_ROWS", len(LENGTHS) if request.param else 0)


@pytest.mark.usefixtures("either_product")
def test_each_direction_starts_at_its_end_of_the_sequence(layer):
    inputs = sequences()
    outputs = layer(inputs, mask=MASK)
    np.testing.assert_allclose(outputs, expected_outputs(layer, inputs, LENGTHS), atol=1e-6)
    outputs = layer(inputs)
    np.testing.assert_allclose(outputs, expected_outputs(layer, inputs, [6] * 4), atol=1e-6)


def test_masked_steps_play_no_role_wherever_they_are_and_whatever_they_hold(layer):
    inputs = sequences()
    expected = np.asarray(layer(inputs[:1, :3]))[0]
    for places in ([0, 1, 2], [3, 4, 5], [0, 2, 5]):
        for rubbish in (np.nan, np.inf, 1e30):
            holes = np.full_like(inputs[:1], rubbish)
            holes[:, places] = inputs[:1, :3]
            mask = np.isin(np.arange(6), places)[None]
            outputs = np.asarray(layer(holes, mask=mask.astype("float32")))[0]
            np.testing.assert_allclose(outputs[places], expected, atol=1e-6)
            assert not np.delete(outputs, places, axis=0).any()


def test_keras_own_lstm_computes_the_same(monkeypatch):
    """What runs on GPUs, on JAX and on torch, here on this one."""
    layer, inputs = drawn(BidirectionalLSTM(5, name="lstm")), sequences()
    expected = layer(inputs, mask=MASK)
    monkeypatch.setattr(module, "takes_own_lstm", lambda: False)
    np.testing.assert_allclose(layer(inputs, mask=MASK), expected, atol=1e-6)


def gradients(layer, inputs, training):
    def weighted(outputs):
        scale = np.random.default_rng(1).normal(size=outputs.shape).astype("float32")
        return tf.reduce_sum(outputs * scale)

    inputs = tf.convert_to_tensor(inputs)
    variables = [variable.value for variable in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = weighted(layer(inputs, mask=MASK, training=training))
    return tape.gradient(loss, [inputs, *variables])


@pytest.mark.usefixtures("either_product")
@pytest.mark.parametrize("in_graph", [False, True])
def test_gradients_of_training_are_those_of_the_equations(layer, in_graph):
    """TensorFlow derives the one of inference itself."""
    derived = gradients(layer, sequences(), training=False)
    compute = tf.function(gradients, autograph=False) if in_graph else gradients
    for own, expected in zip(compute(layer, sequences(), training=True), derived, strict=True):
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(own, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("training", [False, True])
def test_half_precision_comes_near_float32_also_over_many_steps(layer, training):
    inputs = np.random.default_rng(0).normal(size=(1, 150, 3)).astype("float32")
    expected = compiled(layer)(inputs, training=training)
    for dtype, tolerance in (("mixed_bfloat16", 0.05), ("mixed_float16", 5e-3)):
        half = drawn(BidirectionalLSTM(5, peepholes=layer.peepholes, dtype=dtype, name="lstm"))
        outputs = compiled(half)(inputs, training=training)
        assert outputs.dtype == dtype.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, atol=tolerance)


def test_forget_gates_start_open():
    """With biases of 1, in both kinds; all others, and the peepholes, are 0."""
    for peepholes, size in ((False, 20), (True, 35)):
        layer = BidirectionalLSTM(5, peepholes=peepholes)
        layer.build((None, None, 3))
        for direction in layer.directions:
            bias = np.asarray(direction.weights[2]).reshape(-1)
            assert bias.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * (size - 10)


def test_the_config_builds_the_same_layer():
    for layer in (BidirectionalLSTM(4, peepholes=True), PeepholeLSTM(4)):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("layer_class", [BidirectionalLSTM, PeepholeLSTM])
def test_units_must_be_a_positive_integer(layer_class):
    for units in (0, 2.5, "8"):
        with pytest.raises(ValueError, match=f"positive integer. Received: units={units!r}"):
            layer_class(units)


def test_on_a_gpu_keras_own_lstm_is_taken_but_not_for_an_export(monkeypatch):
    monkeypatch.setattr(_compat_lstm, "computes_on_cpu", lambda: False)
    assert not _compat_lstm.takes_own_lstm()
    with tracing_for_export():
        assert _compat_lstm.takes_own_lstm()


def test_it_takes_masks_of_keras_too():
    layer = drawn(BidirectionalLSTM(5, name="lstm"))
    inputs = sequences()
    inputs[~MASK] = 0
    masked = keras.Sequential([keras.layers.Masking(), layer])
    np.testing.assert_allclose(masked(inputs), layer(inputs, mask=MASK), atol=1e-6)
