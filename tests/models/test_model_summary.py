"""What `summarize` counts: the reference's numbers, hand counts, and what it can't count."""

import json
import pathlib

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_video
from keras_video._compat import lowered_for_cpu
from keras_video.models import BMN, TSM, AttentionLSTM, SlowFast, TimeSformer, summarize

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "models"

TINY_TSM = {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 8}


def golden(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def make(name):
    """Our model of a golden file."""
    facts = golden(name)["model"]
    classes = facts["head"]["num_classes"]
    if name.startswith("timesformer"):
        size = facts["backbone"]
        return TimeSformer(
            classes,
            num_frames=size["num_seg"],
            image_size=size["img_size"],
            hidden_dim=size["embed_dim"],
            num_layers=size["depth"],
            num_heads=size["num_heads"],
            attention=size["attention_type"],
        )
    if name.startswith("slowfast"):
        return SlowFast(classes, alpha=facts["backbone"]["alpha"], fusion_kernel=5)
    names = {"tsn_r50": "TSN", "tsm_r50": "TSM", "pptsn_r50": "PPTSN", "pptsm_r50": "PPTSM"}
    return getattr(keras_video.models, names[name])(classes, num_frames=8)


COUNTED = sorted(path.stem for path in GOLDEN.glob("*.json") if "macs" in golden(path.stem))


@pytest.mark.parametrize("name", COUNTED)
def test_counts_equal_the_reference(name):
    facts = golden(name)
    summary = summarize(make(name), size=None if name.startswith("timesformer") else 224)
    batch = facts["cases"]["main"]["inputs"][0]["shape"][0]
    expected = {kind: count // batch for kind, count in facts["macs"].items() if kind != "total"}
    if name == "tsm_r50":
        # The reference classifies every frame and averages; here the average is classified.
        expected["linear"] //= 8
    assert summary.multiply_adds == expected
    assert summary.uncounted == ()

    parameters = facts["parameters"]
    assert summary.parameters == parameters["named_parameters_total"]
    assert summary.trainable_parameters == parameters["trainable"]
    assert summary.batch_norm_parameters == parameters["bn_affine"]
    assert summary.batch_norm_statistics == parameters["bn_running_stats"]
    assert summary.parameters_without_batch_norm == parameters["conv_fc_only"]
    assert summary.trainable_parameters_without_batch_norm == parameters["conv_fc_only"]
    assert summary.weight_bytes == 4 * summary.parameters
    assert sum(layer.parameters for layer in summary.layers) == summary.parameters


def test_bmn_is_counted_as_it_is_defined():
    facts = golden("bmn_tiny")
    summary = summarize(BMN(num_frames=20, max_duration=16, num_samples=8))
    over_time = 20 * 3 * (100 * 256 + 64 * 256 + 2 * 64 * 256 + 256 * 128) + 2 * 20 * 256
    cells = 16 * 20
    over_map = cells * (512 * 128 + 2 * 9 * 128 * 128 + 128 * 2)
    samples = cells * 8 * 128 * 512
    assert summary.multiply_adds == {
        "conv": over_time + samples + over_map,
        "linear": 0,
        "matmul": facts["sample_mask"]["nnz"] * 128,
    }
    assert summary.uncounted == ()
    assert summary.notes[0].startswith("boundary_matching: ")


@pytest.mark.parametrize("peepholes", [False, True])
def test_lstms_are_counted_step_by_step(peepholes):
    model = AttentionLSTM(
        5,
        features={"rgb": 6, "audio": 4},
        embedding_dim=8,
        lstm_dim=12,
        hidden_dims=(16, 10),
        peepholes=peepholes,
    )
    summary = summarize(model, num_frames=7)
    embeddings = 7 * (6 + 4) * 8
    lstms = 2 * 2 * 7 * (8 + 12) * 4 * 12
    scores = means = 2 * 7 * 24
    dense = 48 * 16 + 16 * 10 + 10 * 5
    assert summary.multiply_adds == {
        "conv": 0,
        "linear": embeddings + lstms + scores + dense,
        "matmul": means,
    }
    assert summary.uncounted == ()
    assert summary.input_shapes["rgb"] == (1, 7, 6)


class Mixer(layers.Layer):
    """A layer of a plug-in: a dense layer, weights of its own, and a product of activations."""

    def build(self, input_shape):
        channels = input_shape[-1]
        self.dense = layers.Dense(2 * channels, name="dense")
        self.dense.build(input_shape)
        self.scale = self.add_weight((channels,), name="scale")
        self.kernel = self.add_weight((2 * channels, channels), name="kernel")

    def call(self, inputs):
        x = ops.einsum("btc,cd->btd", self.dense(inputs), self.kernel) * self.scale
        return ops.matmul(ops.softmax(ops.einsum("...tc,...sc->...ts", x, inputs)), inputs)


KERAS_LAYERS = {
    # Input, what makes the layer, convolutions, products with weights, products of activations.
    "convolution": ((9, 8, 4), lambda: layers.Conv2D(6, 3, strides=2), 4 * 3 * 6 * 9 * 4, 0, 0),
    "groups": ((9, 4), lambda: layers.Conv1D(6, 3, groups=2, padding="same"), 9 * 6 * 3 * 2, 0, 0),
    "depthwise": (
        (9, 8, 4),
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
        42 * 8 * 9,
        0,
        0,
    ),
    "separable": ((9, 8, 4), lambda: layers.SeparableConv2D(6, 3), 42 * 4 * (9 + 6), 0, 0),
    "transposed": (
        (5, 5, 4),
        lambda: layers.Conv2DTranspose(6, 3, strides=2),
        25 * 4 * 9 * 6,
        0,
        0,
    ),
    "3-D": (
        (4, 5, 5, 2),
        lambda: layers.Conv3D(6, (3, 1, 1), padding="same"),
        100 * 6 * 3 * 2,
        0,
        0,
    ),
    "dense": ((7, 4), lambda: layers.Dense(6), 0, 7 * 4 * 6, 0),
    "einsum": ((7, 4), lambda: layers.EinsumDense("btc,cd->btd", (7, 5)), 0, 7 * 4 * 5, 0),
    "lstm": ((7, 4), lambda: layers.LSTM(6), 0, 7 * (4 + 6) * 24, 0),
    "gru": ((7, 4), lambda: layers.Bidirectional(layers.GRU(6)), 0, 2 * 7 * (4 + 6) * 18, 0),
    "attention": ((7, 4), Mixer, 0, 7 * (4 * 8 + 8 * 4), 2 * 7 * 7 * 4),
    "pooling": ((9, 8, 4), lambda: layers.AveragePooling2D(3), 0, 0, 0),
    "norm": ((7, 4), lambda: layers.LayerNormalization(), 0, 0, 0),
}


@pytest.mark.parametrize("name", KERAS_LAYERS)
def test_layers_of_keras_and_of_plug_ins_are_counted(name):
    shape, make_layer, *expected = KERAS_LAYERS[name]
    inputs = keras.Input(shape)
    summary = summarize(keras.Model(inputs, make_layer()(inputs)))
    assert list(summary.multiply_adds.values()) == expected
    assert summary.uncounted == ()


def test_shared_layers_and_operations_between_layers_are_counted():
    inputs = keras.Input((7, 4))
    dense = layers.Dense(4, name="dense")
    inner = keras.Sequential([keras.Input((7, 4)), dense, layers.Dense(4, name="last")], name="in")
    x = dense(inner(inputs))
    model = keras.Model(inputs, ops.matmul(x, ops.swapaxes(x, 1, 2)), name="outer")
    summary = summarize(model)
    assert {layer.name: layer.total_multiply_adds for layer in summary.layers} == {
        "outer": 7 * 7 * 4,
        "in/dense": 7 * 16,
        "in/last": 7 * 16,
        "dense": 7 * 16,
    }
    assert sum(layer.parameters for layer in summary.layers) == model.count_params() == 40


class Cell(layers.Layer):
    state_size = output_size = 4

    def build(self, input_shape):
        self.kernel = self.add_weight((4, 4), name="kernel")

    def call(self, inputs, states):
        output = ops.tanh(ops.matmul(inputs + states[0], self.kernel))
        return output, [output]


def test_layers_whose_products_can_t_be_seen_are_named():
    inputs = keras.Input((7, 4))
    x = layers.Dense(4)(inputs)
    summary = summarize(keras.Model(inputs, layers.RNN(Cell(), name="own_loop")(x)))
    assert summary.uncounted == ("own_loop",)
    assert summary.layers[0].multiply_adds["linear"] == 7 * 16


class Stated(layers.Dense):
    kind = "linear"

    def multiply_adds(self, input_shape, output_shape):
        return {self.kind: 1000 * input_shape[1] + output_shape[1]}


def test_a_layer_may_say_its_own_count():
    inputs = keras.Input((4,))
    layer = Stated(3, name="stated")
    model = keras.Model(inputs, layer(inputs))
    assert summarize(model).multiply_adds == {"conv": 0, "linear": 4003, "matmul": 0}
    layer.kind = "flops"
    with pytest.raises(ValueError, match=r"Received: \['flops'\] of 'stated'"):
        summarize(model)


def test_forms_that_a_cpu_computes_faster_change_no_count():
    for model in (
        SlowFast(5, num_frames=8, depth=14, width=16),
        TimeSformer(5, num_frames=3, image_size=48, hidden_dim=32, num_layers=1, num_heads=4),
    ):
        expected = summarize(model, size=None if model.image_size else 64)
        token = lowered_for_cpu.set(True)
        try:
            assert summarize(model, size=None if model.image_size else 64) == expected
        finally:
            lowered_for_cpu.reset(token)


def test_the_model_stays_as_it_was():
    model = TSM(**TINY_TSM)
    clips = np.random.default_rng(0).integers(0, 256, (1, 4, 32, 32, 3), "uint8")
    logits = ops.convert_to_numpy(model(clips))
    weights = model.get_weights()
    names = [sorted(vars(layer)) for layer in model.backbone.layers]
    assert summarize(model, size=32) == summarize(model, size=32)
    assert [sorted(vars(layer)) for layer in model.backbone.layers] == names
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(model(clips), logits)
    assert keras.Model(model.input, model.get_layer("classifier").output).count_params()


def test_activations_are_counted_while_they_are_needed():
    inputs = keras.Input((1000,))
    x = layers.Dense(5000, activation="relu")(inputs)
    outputs = layers.Dense(10, name="last")(x)
    # The input and the wide layer; ReLU writes over its input.
    assert summarize(keras.Model(inputs, outputs)).activation_bytes == 4 * (1000 + 5000)
    y = layers.Dense(5000, name="second")(x)
    summary = summarize(keras.Model(inputs, layers.Dense(10)(x + y)))
    assert summary.activation_bytes == 4 * (5000 + 5000)
    assert summary.activation_peak == "second"
    # Halves, and the input that they are made of, which nothing needs any more then.
    halves = keras.Model(inputs, layers.Dense(5000, dtype="float16")(inputs))
    assert summarize(halves).activation_bytes == 2 * 1000 + 2 * 5000


def test_sizes_are_those_of_the_preprocessor_or_asked_for():
    model = TSM.from_preset("tsm_tiny_motion", load_weights=False)
    summary = summarize(model)
    side = model.preprocessor.crop_size
    assert summary.input_shapes == {"clips": (1, 8, side, side, 3)}
    assert summary.views == model.preprocessor.num_views == 1
    assert summary.video_multiply_adds == summary.total_multiply_adds

    model = TSM(**TINY_TSM)
    small = summarize(model, size=64)
    assert small.video_multiply_adds is None
    larger = summarize(model, size=(128, 64), views=30)
    assert larger.input_shapes == {"clips": (1, 4, 128, 64, 3)}
    assert larger.multiply_adds["conv"] == 2 * small.multiply_adds["conv"]
    assert larger.video_multiply_adds == 30 * larger.total_multiply_adds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_frames": 9}, "num_frames=4 only"),
        ({"size": 0}, "positive"),
        ({"size": "large"}, "positive"),
    ],
)
def test_sizes_that_the_model_does_not_take_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        summarize(TSM(**TINY_TSM), **arguments)


def test_models_without_frames_or_known_inputs_are_refused():
    inputs = keras.Input((20, 8))
    with pytest.raises(ValueError, match="no height and no width"):
        summarize(keras.Model(inputs, layers.Dense(2)(inputs)), size=64)

    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="functional"):
        summarize(Subclassed())
    unknown = keras.Input((20, 8, None))
    with pytest.raises(ValueError, match="isn't known"):
        summarize(keras.Model(unknown, ops.sum(unknown, axis=-1)))
