import json
import pathlib

import keras
import numpy as np
import pytest

from keras_video._compat import lowered_for_cpu
from keras_video.layers import TemporalShift

OPS = pathlib.Path(__file__).parent.parent / "golden" / "ops"
GOLDEN = dict(np.load(OPS / "temporal_shift.npz"))
CASES = json.loads((OPS / "temporal_shift.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["i"]))
@pytest.mark.parametrize("rank", [4, 5])
def test_equals_the_reference_exactly(case, rank):
    frames = GOLDEN[f"x{case['i']}"].transpose(0, 2, 3, 1)
    expected = GOLDEN[f"y{case['i']}"].transpose(0, 2, 3, 1)
    if rank == 5:
        clips = frames.reshape(case["n"], case["seg"], *frames.shape[1:])
        actual = np.asarray(TemporalShift(case["ratio"])(clips)).reshape(expected.shape)
    else:
        actual = np.asarray(TemporalShift(case["ratio"], num_frames=case["seg"])(frames))
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["i"]))
def test_the_form_for_inference_on_a_cpu_is_exact(case):
    frames = GOLDEN[f"x{case['i']}"].transpose(0, 2, 3, 1)
    token = lowered_for_cpu.set(True)
    try:
        actual = TemporalShift(case["ratio"], num_frames=case["seg"])(frames)
    finally:
        lowered_for_cpu.reset(token)
    expected = GOLDEN[f"y{case['i']}"].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(np.asarray(actual), expected)


def test_past_only_never_looks_ahead():
    clips = np.random.default_rng(0).normal(size=(2, 6, 3, 4, 16)).astype("float32")
    layer = TemporalShift(1 / 8, direction="past")
    before = np.asarray(layer(clips))
    changed = clips.copy()
    changed[:, 4:] += 1
    np.testing.assert_array_equal(np.asarray(layer(changed))[:, :4], before[:, :4])
    np.testing.assert_array_equal(before[:, 1:, ..., :2], clips[:, :-1, ..., :2])
    np.testing.assert_array_equal(before[:, 0, ..., :2], 0)
    np.testing.assert_array_equal(before[..., 2:], clips[..., 2:])


def test_a_stream_equals_the_whole_clip():
    clips = np.random.default_rng(0).normal(size=(2, 6, 3, 4, 16)).astype("float32")
    layer = TemporalShift(1 / 4, direction="past")
    whole = np.asarray(layer(clips))
    state = layer.initial_state((2, 3, 4, 16))
    for t in range(6):
        outputs, state = layer(clips[:, t], state=state)
        np.testing.assert_array_equal(np.asarray(outputs), whole[:, t])


def test_a_stream_works_in_a_functional_model():
    layer = TemporalShift(1 / 4, direction="past")
    frame, state = keras.Input((3, 4, 16)), keras.Input((3, 4, 4))
    model = keras.Model([frame, state], layer(frame, state=state))
    outputs, next_state = model([np.ones((1, 3, 4, 16)), np.zeros((1, 3, 4, 4))])
    assert outputs.shape == (1, 3, 4, 16)
    np.testing.assert_array_equal(np.asarray(next_state), np.ones((1, 3, 4, 4)))


def test_gradient_is_the_opposite_shift():
    import tensorflow as tf

    clips = tf.constant(np.random.default_rng(0).normal(size=(1, 4, 2, 2, 8)).astype("float32"))
    weights = np.random.default_rng(1).normal(size=(1, 4, 2, 2, 8)).astype("float32")
    layer = TemporalShift(1 / 4)
    with tf.GradientTape() as tape:
        tape.watch(clips)
        loss = tf.reduce_sum(layer(clips) * weights)
    gradient = tape.gradient(loss, clips).numpy()
    expected = weights.copy()
    expected[:, :-1, ..., :2], expected[:, -1, ..., :2] = weights[:, 1:, ..., :2], 0
    expected[:, 1:, ..., 2:4], expected[:, 0, ..., 2:4] = weights[:, :-1, ..., 2:4], 0
    np.testing.assert_array_equal(gradient, expected)


def test_config_round_trip():
    layer = TemporalShift(1 / 4, num_frames=8, direction="past", name="shift")
    assert TemporalShift.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    "arguments",
    [{"shift_ratio": 0.6}, {"direction": "future"}, {"num_frames": 0}, {"num_frames": 2.5}],
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match="Received: "):
        TemporalShift(**arguments)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"Received: input_shape=\(8, 4, 4, 16\), num_frames=None"):
        TemporalShift()(np.zeros((8, 4, 4, 16)))
    with pytest.raises(ValueError, match="not a whole number of clips"):
        TemporalShift(num_frames=3)(np.zeros((8, 4, 4, 16)))
    with pytest.raises(ValueError, match='direction="past"'):
        TemporalShift()(np.zeros((2, 4, 4, 16)), state=np.zeros((2, 4, 4, 2)))
