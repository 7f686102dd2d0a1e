"""BoundaryMatching takes the published code's samples, in every form, and never their matrix."""

import json
import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video._compat import tracing_for_export
from keras_video.layers import BoundaryMatching, BoundarySampling, GroupedConv1D
from keras_video.testing import draw_weights

GOLDEN = Path(__file__).parents[1] / "golden" / "models"


def matrix(sampling: BoundarySampling) -> np.ndarray:
    """`(time, samples, rows, columns)`: the weight of a step in a sample of a cell."""
    indices, values = sampling.entries
    rows, columns = sampling.shape
    dense = np.zeros((rows * columns, sampling.num_samples * columns), "float32")
    dense[tuple(indices.T)] = values
    return dense.reshape(rows, columns, sampling.num_samples, columns).transpose(3, 2, 0, 1)


def test_the_samples_are_the_reference_s():
    expected = np.load(GOLDEN / "bmn_tiny.npz")["sample_mask"]
    actual = matrix(BoundarySampling(20, 16, num_samples=8))
    np.testing.assert_allclose(actual.reshape(20, -1), expected, atol=1e-7)
    arrays = np.load(GOLDEN / "bmn.npz")
    facts = json.loads((GOLDEN / "bmn.json").read_text())["sample_mask"]
    actual = matrix(BoundarySampling(100, 100)).ravel()
    assert actual.size == np.prod(facts["shape"])
    assert actual.sum(dtype="float64") == pytest.approx(facts["sum"], rel=1e-7)
    places, expected = arrays["sample_mask:index"], arrays["sample_mask:value"]
    np.testing.assert_allclose(actual[places], expected, atol=1e-7)


def sampled_by_definition(sampling: BoundarySampling, start: float, end: float) -> np.ndarray:
    """`(time, samples)` of one segment, point by point."""
    time, points = sampling.num_frames, sampling.points
    margin = sampling.boundary_ratio * (end - start + 1)
    places = np.linspace(start - margin, end + margin, sampling.num_samples * points)
    weights = np.zeros((time, sampling.num_samples))
    for number, place in enumerate(places):
        place = round(place, 9)
        before, rest = math.floor(place), place - math.floor(place)
        if before == -1 and rest:
            rest = 1.0
        for step, weight in ((before, 1 - rest), (before + 1, rest)):
            if 0 <= step < time:
                weights[step, number // points] += weight / points
    return weights


def test_a_map_of_starts_and_ends_samples_one_step_further():
    sampling = BoundarySampling(9, 9, num_samples=4, layout="start_end")
    actual = matrix(sampling)
    for start in range(9):
        for end in range(9):
            expected = np.zeros((9, 4))
            if start <= end:
                expected = sampled_by_definition(sampling, start, end + 1)
            np.testing.assert_allclose(actual[..., start, end], expected, atol=1e-6)


@pytest.fixture(params=["duration_start", "start_end"])
def layer(request):
    durations = 7 if request.param == "duration_start" else 10
    layer = BoundaryMatching(6, durations, 4, layout=request.param, activation="tanh")
    layer.build((None, 10, 3))
    draw_weights(layer)
    return layer


def expected_map(layer, inputs):
    kernel, bias = (np.asarray(weight, "float64") for weight in layer.weights)
    weights = matrix(BoundarySampling(10, layer.max_duration, 4, layout=layer.layout))
    features = np.einsum("btc,tnrs,ncf->brsf", inputs, weights, kernel[:, 0, 0])
    return np.tanh(features + bias)


def drawn(batch=2):
    return np.random.default_rng(0).normal(size=(batch, 10, 3)).astype("float32")


@pytest.mark.parametrize("for_export", [False, True])
def test_it_samples_and_projects(layer, for_export):
    inputs = drawn()
    compute = tf.function(layer, autograph=False)
    if for_export:
        with tracing_for_export():
            outputs = compute(inputs)
    else:
        outputs = compute(inputs)
    assert outputs.shape == layer.compute_output_shape(inputs.shape)
    np.testing.assert_allclose(outputs, expected_map(layer, inputs), atol=1e-6)


@pytest.mark.parametrize("for_export", [False, True])
def test_its_gradients_are_those_of_differences(layer, for_export):
    inputs = tf.constant(drawn(1))
    scale = np.random.default_rng(1).normal(size=layer.compute_output_shape((1, 10, 3)))

    def loss(inputs):
        return tf.reduce_sum(layer(inputs) * scale.astype("float32"))

    variables = [weight.value for weight in layer.weights]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        if for_export:
            with tracing_for_export():
                value = loss(inputs)
        else:
            value = loss(inputs)
    gradients = tape.gradient(value, [inputs, *variables])
    rng = np.random.default_rng(2)
    for tensor, gradient in zip([inputs, *layer.weights], gradients, strict=True):
        array = np.asarray(tensor, "float64")
        direction = rng.normal(size=array.shape)
        moved = []
        for step in (1e-3, -1e-3):
            weights = [np.asarray(w, "float64") for w in layer.weights]
            given = np.asarray(inputs, "float64")
            if tensor is inputs:
                given = given + step * direction
            else:
                place = next(i for i, w in enumerate(layer.weights) if w is tensor)
                weights[place] = weights[place] + step * direction
            moved.append(loss_in_float64(layer, given, weights, scale))
        expected = (moved[0] - moved[1]) / 2e-3
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def loss_in_float64(layer, inputs, weights, scale):
    kernel, bias = weights
    sampling = matrix(BoundarySampling(10, layer.max_duration, 4, layout=layer.layout))
    features = np.einsum("btc,tnrs,ncf->brsf", inputs, sampling.astype("float64"), kernel[:, 0, 0])
    return np.sum(np.tanh(features + bias) * scale)


def test_half_precision_comes_near(layer):
    inputs = drawn()
    half = type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})
    half.build((None, 10, 3))
    half.set_weights(layer.get_weights())
    outputs = half(inputs)
    assert outputs.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(outputs, "float32"), layer(inputs), atol=0.06)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_published_code_s_matrix():
    """A quarter of the 977 MiB of that matrix alone, which is a third of what it takes there."""
    script = """
import resource, numpy as np, tensorflow as tf
from keras_video.layers import BoundaryMatching
def step(layer, inputs):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs))
    return tape.gradient(loss, layer.trainable_variables)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
small = BoundaryMatching(512, 4)
tf.function(step)(small, tf.ones((1, 8, 128)))
before = peak()
tf.function(step)(BoundaryMatching(512, 200), tf.ones((1, 200, 128)))
print(peak() - before)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(run.stdout.split()[-1]) < 650


def test_arguments_are_checked():
    for arguments, message in (
        ({"filters": 0}, "filters"),
        ({"num_samples": 2.5}, "num_samples"),
        ({"num_samples": 1, "points": 1}, "two points"),
        ({"boundary_ratio": -1}, "boundary_ratio"),
        ({"layout": "ends"}, "layout"),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Received"):
            BoundaryMatching(**{"filters": 4, "max_duration": 5, **arguments})
    for layer, shape in (
        (BoundaryMatching(4, 5), (None, None, 8)),
        (BoundaryMatching(4, 5), (None, 4, 8)),
        (BoundaryMatching(4, 5, layout="start_end"), (None, 6, 8)),
    ):
        with pytest.raises(ValueError, match="Received"):
            layer.build(shape)


def test_groups_of_channels_are_convolved_on_their_own():
    layer = GroupedConv1D(8, 3, groups=4, activation="relu")
    theirs = keras.layers.Conv1D(8, 3, groups=4, padding="same", activation="relu")
    inputs = np.random.default_rng(0).normal(size=(2, 7, 12)).astype("float32")
    layer.build(inputs.shape)
    theirs.build(inputs.shape)
    draw_weights(layer)
    theirs.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(inputs), theirs(inputs), atol=1e-6)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(ValueError, match="multiple of `groups`.*Received"):
        GroupedConv1D(8, 3, groups=4).build((None, 7, 10))
    for arguments in ((8, 2, 4), (6, 3, 4), (0, 3, 1)):
        with pytest.raises(ValueError, match="Received"):
            GroupedConv1D(*arguments)
