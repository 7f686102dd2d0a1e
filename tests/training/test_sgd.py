"""`SGD` takes the reference's steps: coupled decay, multipliers, clipping, on every backend."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from training import sgd_cases
from training.sgd_cases import CASES, GOLDEN, make_variables, run

import keras_video
from keras_video.training import SGD, WarmupCosine, weight_rules
from keras_video.training.optimizer_rules import multipliers

TESTS = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize("case", CASES)
def test_steps_equal_the_reference(case):
    np.testing.assert_allclose(run(case), GOLDEN[case], atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_take_the_same_steps(backend, tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(TESTS)}
    script = TESTS / "training" / "sgd_cases.py"
    subprocess.run([sys.executable, script, tmp_path / "out.npz"], env=environment, check=True)
    outputs = np.load(tmp_path / "out.npz")
    for case in CASES:
        np.testing.assert_allclose(outputs[case], GOLDEN[case], atol=2e-6)
    np.testing.assert_allclose(outputs["rates"], sgd_cases.rates(), rtol=1e-6)


def test_a_changing_rate_does_not_change_the_velocity():
    """Against Keras' own SGD, whose velocity is measured in past learning rates."""
    variable = keras.Variable([1.0])
    optimizer = SGD(1.0, momentum=0.5)
    optimizer.apply([np.array([1.0], "float32")], [variable])
    optimizer.learning_rate = 0.1
    optimizer.apply([np.array([0.0], "float32")], [variable])
    np.testing.assert_allclose(variable, [1 - 1 - 0.1 * 0.5], atol=1e-7)


def test_without_momentum_there_is_no_velocity():
    (variable, _) = make_variables()
    optimizer = SGD(0.5, momentum=0.0)
    optimizer.apply([GOLDEN["opt_grads"][0, 0]], [variable])
    expected = GOLDEN["opt_init"][0] - 0.5 * GOLDEN["opt_grads"][0, 0]
    np.testing.assert_allclose(variable, expected, atol=1e-6)
    assert len(optimizer.variables) == 2  # iteration, learning rate


def test_a_scaled_loss_takes_the_same_steps():
    case = "opt_momentum_l2_1e-2_clip_global_norm_1"
    variables = make_variables()
    optimizer = keras.optimizers.LossScaleOptimizer(
        SGD(0.1, l2=1e-2, **CASES[case]), initial_scale=8.0
    )
    optimizer.build(variables)
    for gradients in GOLDEN["opt_grads"]:
        optimizer.apply([tf.constant(8 * g) for g in gradients], variables)
    np.testing.assert_allclose(np.array(variables), GOLDEN[case][-1], atol=2e-6)


@pytest.mark.parametrize("case", [case for case in CASES if "clip" not in case])
def test_replicas_take_the_same_steps(case, two_replicas):
    with two_replicas.scope():
        variables = make_variables()
        optimizer = SGD(0.1, l2=1e-2, **CASES[case])
        optimizer.build(variables)

    def step_of_replica(gradients):
        with tf.GradientTape() as tape:
            # Each replica has half of the gradient; the optimizer adds them up.
            loss = tf.reduce_sum(gradients * tf.stack([v.value for v in variables])) / 2
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)

    step = tf.function(lambda gradients: two_replicas.run(step_of_replica, args=(gradients,)))
    for gradients in GOLDEN["opt_grads"]:
        step(gradients)
    np.testing.assert_allclose(np.array(variables), GOLDEN[case][-1], atol=2e-6)


def test_averaged_weights_are_keras_own():
    variable = keras.Variable([1.0])
    optimizer = SGD(1.0, momentum=0.0, use_ema=True, ema_momentum=0.75)
    for _ in range(2):
        optimizer.apply([np.array([1.0], "float32")], [variable])
    optimizer.finalize_variable_values([variable])
    np.testing.assert_allclose(variable, [0.75 * 0.0 + 0.25 * -1.0])


def test_half_precision_variables():
    variable = keras.Variable([1.0, 2.0], dtype="bfloat16")
    optimizer = SGD(0.5, nesterov=True, l2=0.5)
    optimizer.apply([np.array([1.0, 1.0], "float32")], [variable])
    assert variable.dtype == "bfloat16"
    expected = np.array([1 - 0.5 * 1.9 * 1.5, 2 - 0.5 * 1.9 * 2])
    np.testing.assert_allclose(np.asarray(variable, "float32"), expected, atol=0.02)


def test_config_round_trip():
    schedule = WarmupCosine(0.1, 5, 10, warmup_epochs=1)
    optimizer = SGD(schedule, 0.8, True, 1e-4, rules=[("a", 2, 0)], global_clipnorm=3.0)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(copy) is SGD
    assert copy.get_config() == optimizer.get_config()
    assert copy.rules == (("a", 2.0, 0.0),)
    assert copy.global_clipnorm == 3.0


def test_a_model_is_saved_and_resumed_with_its_velocities(tmp_path):
    def compiled():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="out")])
        model.compile(SGD(0.1, rules=[("out/bias", 2, 0)]), "mse")
        return model

    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model = compiled()
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, copy):
        each.fit(x, y, verbose=0)
    for ours, theirs in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_rule_without_a_weight_names_the_nearest():
    optimizer = SGD(0.1, rules=[("^frist$", 1, 1)])
    with pytest.raises(ValueError, match=r"'\^frist\$' matches none.*Did you mean 'first'"):
        optimizer.build(make_variables())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"momentum": 1.0}, "momentum=1.0"),
        ({"momentum": 0, "nesterov": True}, "needs a momentum"),
        ({"l2": -1}, "l2=-1"),
        ({"weight_decay": 0.1}, "give it as `l2`.*weight_decay=0.1"),
        ({"rules": [("a", 1)]}, r"Received: \('a', 1\)"),
        ({"rules": [("(", 1, 1)]}, "regular expression"),
        ({"rules": [("a", -1, 1)]}, "must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD(0.1, **arguments)


def tiny(name, **arguments):
    model_class = getattr(keras_video.models, name)
    return model_class(num_classes=3, num_frames=2, depth=18, width=2, **arguments)


@pytest.mark.parametrize("name", ["TSM", "PPTSM", "PPTSN"])
def test_published_rules_of_the_models(name):
    model = tiny(name)
    paths = [variable.path for variable in model.trainable_variables]
    found = dict(zip(paths, multipliers(paths, weight_rules(model)), strict=True))
    assert found.pop("classifier/kernel") == (5.0, 1.0)
    assert found.pop("classifier/bias") == (10.0, 0.0)
    norms = [found.pop(path) for path in list(found) if path.endswith(("gamma", "beta"))]
    assert set(norms) == {(1.0, 0.0)} and len(norms) >= 40
    assert set(found.values()) == {(1.0, 1.0)}
    assert all(path.endswith("kernel") for path in found)


def test_the_norms_of_tsn_are_decayed():
    assert weight_rules(tiny("TSN")) == ()


def test_rules_of_frozen_weights_are_left_out():
    model = tiny("TSM")
    model.backbone.trainable = False
    assert [rule[0] for rule in weight_rules(model)] == ["^classifier/kernel$", "^classifier/bias$"]


def test_a_rule_of_a_model_without_such_a_weight_is_an_error():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="out")])
    model.weight_rules = [("classifier", 1, 1)]
    with pytest.raises(ValueError, match="'classifier' of Sequential.weight_rules.*out/kernel'"):
        weight_rules(model)
