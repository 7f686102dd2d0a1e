"""SlowFast computes what the reference computes, from the reference's own kind of checkpoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_model import GoldenModel

from keras_video.models import SlowFast
from keras_video.presets import convert, original_tensors
from keras_video.training import SGD, TrainStep, weight_rules


@pytest.fixture(scope="module")
def golden():
    return GoldenModel("slowfast_4x16_r50")


@pytest.fixture(scope="module")
def pdparams(golden, tmp_path_factory):
    return golden.write_pdparams(tmp_path_factory.mktemp("slowfast") / "reference.pdparams")


def converted(pdparams):
    return convert(
        pdparams, SlowFast, num_frames=32, alpha=8, fusion_kernel=5, dropout=0.0, normalize=None
    )


def with_two_inputs(model, layers=()) -> keras.Model:
    """The model past its choice of slow frames: the golden file's pathways are drawn apart."""
    backbone = model.backbone
    pathways = [backbone.get_layer("slow_frames").output, backbone.input]
    stages = [backbone.get_layer(name).output for name in layers]
    outputs = {id(tensor): tensor for tensor in (*backbone.outputs, *stages)}
    features = keras.Model(pathways, list(outputs.values()))
    windows = [model.get_layer(name).input for name in ("slow_windows", "fast_windows")]
    head = keras.Model(windows, model.output)
    inputs = [keras.Input(tensor.shape[1:]) for tensor in pathways]
    results = dict(zip(outputs, features(inputs), strict=True))
    slow, fast = (results[id(tensor)] for tensor in backbone.outputs)
    stages = [results[id(tensor)] for tensor in stages]
    logits = head([keras.ops.mean(slow, axis=1), keras.ops.mean(fast, axis=1)])
    return keras.Model(inputs, [logits, *stages] if layers else logits)


def layer_of(activation: str) -> str:
    """Our layer for the reference's name of a stage and its pathway."""
    stage, pathway = activation.removesuffix(".0").removesuffix(".1"), activation[-1]
    number, name = int(stage[1]), ["slow", "fast"][int(pathway)]
    if stage.endswith("_fuse") and name == "slow":
        return f"fuse{number}_join"
    if number == 1:
        return f"{name}_stem_pool"
    return f"{name}_stage{number - 1}_block{[3, 4, 6, 3][number - 2]}_conv3"


def test_probabilities_and_stages_equal_the_reference(golden, pdparams):
    facts = golden.facts["cases"]["main"]
    names = [name for name in facts["activations"] if name != "logits_map"]
    model = with_two_inputs(converted(pdparams), [layer_of(name) for name in names])

    logits, *stages = model.predict(golden.inputs(facts), verbose=0)

    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert np.abs(probabilities - golden.arrays["main:output"]).max() < 20 * golden.noise("main")
    np.testing.assert_allclose(logits, golden.arrays["main:logits_map"].reshape(1, 400), atol=5e-5)
    assert logits.argmax(-1).tolist() == facts["argmax"]
    for name, stage in zip(names, stages, strict=True):
        expected = golden.arrays[f"main:{name}"]
        stride = facts["activations"][name]["flat_stride"]
        actual = stage.transpose(0, 4, 1, 2, 3).reshape(-1)[::stride]
        np.testing.assert_allclose(actual, expected, atol=1e-3 * expected.std(), err_msg=name)


def test_a_training_step_equals_the_reference(golden, pdparams):
    facts = golden.facts["train"]
    whole = converted(pdparams)
    model = with_two_inputs(whole)
    optimizer = SGD(1e-3, momentum=0.9, nesterov=True, rules=weight_rules(whole))
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimizer.build(model.trainable_variables)
    labels = golden.arrays["train:labels"][:, 0]

    loss, _ = tf.function(TrainStep(model), autograph=False)((golden.inputs(facts), labels))
    # The velocity of the first step is the gradient.
    velocities = [v.numpy() for v in optimizer.variables if v.path.endswith("_velocity")]

    np.testing.assert_allclose(loss, facts["loss"], rtol=1e-5)
    paths = [variable.path for variable in model.trainable_variables]
    gradients = original_tensors(whole, "paddlevideo", dict(zip(paths, velocities, strict=True)))
    norms = [np.linalg.norm(gradients[name]) for name in facts["grad_norm_names"]]
    errors = np.abs(norms / golden.arrays["train:grad_norms"] - 1)
    # Batch statistics of two clips amplify rounding, here in the fast pathway's eight channels: in
    # float64 this port differs from the reference's float32 by up to 1.4e-2, with a median of
    # 4e-4; in float32 from itself in float64 by up to 4.6e-2.
    assert errors.max() < 1e-1
    assert np.median(errors) < 2e-3
    for key in facts["grad_keys"]:
        expected = golden.arrays[f"train:{key}"].reshape(-1)
        actual = gradients[key.removeprefix("grad:")].reshape(-1)
        actual = actual[:: facts["flat_stride"].get(key, 1)]
        error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
        assert error < (1e-5 if key == "grad:head.projection.bias" else 8e-2), (key, error)

    weights = original_tensors(whole, "paddlevideo")
    after = {k: v for k, v in golden.arrays.items() if k.startswith("train:bn_after:")}
    assert after
    for key, expected in after.items():
        actual = weights[key.removeprefix("train:bn_after:")]
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4, err_msg=key)
