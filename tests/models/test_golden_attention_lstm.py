"""AttentionLSTM computes what the reference computes, from the reference's kind of checkpoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_model import GoldenModel

import keras_video
from keras_video.models import AttentionLSTM
from keras_video.presets import PresetError, original_tensors
from keras_video.training import SGD, TrainStep

# A hundred million weights are drawn.
pytestmark = pytest.mark.slow

# The reference's name of an activation -> our layer, and what it does after the reference's.
LAYERS = {
    "fc_feature0": ("rgb_embedding", np.tanh),
    "bi_lstm0.0": ("rgb_lstm", np.array),
    "fc_feature1": ("audio_embedding", np.tanh),
    "bi_lstm1.0": ("audio_lstm", np.array),
    "fc_out1": ("hidden1", lambda x: np.maximum(x, 0)),
    "fc_out2": ("hidden2", np.tanh),
}


class Golden(GoldenModel):
    """The golden checkpoint, converted once."""

    def __init__(self):
        super().__init__("attention_lstm")
        self.model = keras_video.convert(
            self.checkpoint, AttentionLSTM, feature_range=None, dropout=0.0
        )

    @property
    def features(self) -> dict[str, np.ndarray]:
        inputs = {}
        for name in ("rgb", "audio"):
            inputs[name] = self.arrays[f"small:input:{name}_data"]
            inputs[f"{name}_mask"] = self.arrays[f"small:input:{name}_mask"][..., 0] > 0
        return inputs


@pytest.fixture(scope="module")
def golden():
    return Golden()


def test_logits_and_probabilities_equal_the_reference(golden):
    exact = golden.arrays["small:output_f64_numpy"]
    noise = np.abs(golden.arrays["small:fc_logit"] - exact).max()
    logits = golden.model.predict(golden.features, verbose=0)
    assert noise < 1e-4 < exact.std()
    assert np.abs(logits - exact).max() < 20 * noise
    probabilities = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(probabilities, golden.arrays["small:prob"], atol=1e-5)


def test_activations_equal_the_reference(golden):
    model = golden.model
    layers = {name: model.get_layer(layer).output for name, (layer, _) in LAYERS.items()}
    outputs = keras.Model(model.inputs, layers).predict(golden.features, verbose=0)
    for name, facts in golden.facts["activations"].items():
        assert list(outputs[name].shape) == facts["shape"]
        _, activate = LAYERS[name]
        expected = activate(golden.arrays[f"small:{name}"])
        actual = outputs[name].reshape(-1)[:: facts["flat_stride"]][: len(expected)]
        np.testing.assert_allclose(actual, expected, atol=2e-6, err_msg=name)


def test_the_loss_and_all_gradients_equal_the_reference(golden):
    model, labels = golden.model, golden.arrays["small:labels"]
    facts, optimizer = golden.facts, SGD(1e-9, momentum=0.9)
    model.compile(optimizer, sum_over_samples_and_labels)
    optimizer.build(model.trainable_variables)
    loss, _ = tf.function(TrainStep(model), autograph=False)((golden.features, labels))
    # The velocity of the first step is the gradient.
    gradients = [v.numpy() for v in optimizer.variables if v.path.endswith("_velocity")]

    np.testing.assert_allclose(loss, facts["train"]["loss"], rtol=1e-6)
    pairs = zip(model.trainable_variables, gradients, strict=True)
    gradient_of = original_tensors(model, "paddlevideo", {v.path: g for v, g in pairs})
    # Of two biases that are added, each has the gradient of the sum.
    for name in [name for name in gradient_of if ".bias_hh" in name]:
        gradient_of[name] = gradient_of[name.replace(".bias_hh", ".bias_ih")]
    names = facts["grad_norm_names"]
    assert sorted(names) == sorted(gradient_of)
    norms = [np.linalg.norm(gradient_of[name].astype("float64")) for name in names]
    # A bias before a softmax has none but noise.
    np.testing.assert_allclose(norms, golden.arrays["train:grad_norms"], rtol=2e-6, atol=2e-5)
    stored = [key for key in golden.arrays if key.startswith("train:grad:")]
    assert len(stored) == 18
    for key in stored:
        expected = golden.arrays[key].reshape(-1)
        stride = facts["gradient_flat_stride"].get(key.removeprefix("train:"), 1)
        actual = gradient_of[key.removeprefix("train:grad:")].reshape(-1)[::stride]
        tolerance = 1e-5 * np.abs(expected).max() + 2e-5
        np.testing.assert_allclose(actual[: len(expected)], expected, atol=tolerance, err_msg=key)


def sum_over_samples_and_labels(labels, logits):
    """As the reference has it; Keras takes the mean over the samples."""
    losses = keras.ops.binary_crossentropy(labels, logits, from_logits=True)
    return keras.ops.sum(losses, axis=-1) * labels.shape[0]


def test_it_has_the_reference_s_number_of_parameters(golden):
    """But for the second biases of four LSTMs, which add nothing."""
    reference = golden.facts["parameters"]["trainable"]
    assert golden.model.count_params() == reference - 4 * 4096 == 108_720_920
    preset = keras_video.presets.get_preset("attention_lstm_yt8m")
    assert preset.parameters == golden.model.count_params()


def test_both_names_of_a_weight_must_hold_the_same(golden):
    name, alias = "head.bi_lstm1.weight_hh_l0", "head.bi_lstm1.0.cell_fw.weight_hh"
    tensors = golden.checkpoint
    assert np.array_equal(tensors[name], tensors[alias])
    with pytest.raises(PresetError, match="that should be one differ, both 'head.bi_lstm1.weight"):
        keras_video.convert({**tensors, alias: tensors[name] + 1e-6}, golden.model)
    only = {k: v for k, v in tensors.items() if ".0.cell_" not in k}
    assert len(only) == 30
    keras_video.convert(only, golden.model)
    del only[name]
    keras_video.convert({**only, alias: tensors[alias]}, golden.model)
    with pytest.raises(PresetError, match=f"1 variables have no tensor: .*{name}"):
        keras_video.convert(only, golden.model)
