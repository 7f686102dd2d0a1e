"""`RMSProp` takes the reference's steps: centred or not, with coupled decay and multipliers."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.training import RMSProp

GOLDEN = dict(np.load(pathlib.Path(__file__).parents[1] / "golden" / "ops" / "optimizers.npz"))
CASES = {
    "opt_rmsprop_centered_l2": {"learning_rate": 0.01, "centered": True, "l2": 4e-4},
    "opt_rmsprop_rho.9_eps1_mom.9_l2": {
        "learning_rate": 0.5, "rho": 0.9, "epsilon": 1.0, "momentum": 0.9, "l2": 3e-5
    },
}  # fmt: skip


def make_variables() -> list[keras.Variable]:
    first, second = GOLDEN["opt_init"]
    return [keras.Variable(first, name="first"), keras.Variable(second, name="second")]


def run(optimizer, scale: float = 1.0) -> np.ndarray:
    """The two parameters after each of six steps."""
    variables, steps = make_variables(), []
    for gradients in GOLDEN["opt_grads"]:
        optimizer.apply([tf.constant(scale * g) for g in gradients], variables)
        steps.append([keras.ops.convert_to_numpy(v.value) for v in variables])
    return np.array(steps)


@pytest.mark.parametrize("case", CASES)
def test_steps_equal_the_reference(case):
    np.testing.assert_allclose(run(RMSProp(**CASES[case])), GOLDEN[case], atol=3e-6)


def test_the_steps_of_a_smaller_loss_are_the_same_with_its_own_decay_and_epsilon():
    """What the recipe of YouTube-8M relies on: mean instead of sum over 128 videos."""
    optimizer = RMSProp(0.01, centered=True, l2=4e-4 / 128, epsilon=1e-6 / 128**2)
    steps = run(optimizer, scale=1 / 128)
    np.testing.assert_allclose(steps, GOLDEN["opt_rmsprop_centered_l2"], atol=3e-6)


def test_multipliers_of_rates_and_decays():
    rules = [("second", 5, 0), ("first", 0.5, 2)]
    found = run(RMSProp(0.01, l2=0.1, centered=True, rules=rules))
    for place, (rate, decay) in enumerate(((0.005, 0.2), (0.05, 0.0))):
        expected = run(RMSProp(rate, l2=decay, centered=True))[:, place]
        np.testing.assert_allclose(found[:, place], expected, atol=1e-6)


def test_a_constant_gradient_gives_no_nan():
    """The variance is 0 then, and rounding makes it negative without a bound."""
    optimizer, variable = RMSProp(1e-6, centered=True, epsilon=1e-12), keras.Variable([0.0] * 64)
    gradient = tf.constant(np.random.default_rng(0).normal(0, 100, 64).astype("float32"))
    for _ in range(400):
        optimizer.apply([gradient], [variable])
    assert np.isfinite(np.asarray(variable)).all()


def test_replicas_take_the_same_steps(two_replicas):
    case = "opt_rmsprop_centered_l2"
    with two_replicas.scope():
        variables = make_variables()
        optimizer = RMSProp(**CASES[case])
        optimizer.build(variables)

    def step_of_replica(gradients):
        optimizer.apply([g / 2 for g in tf.unstack(gradients)], variables)

    step = tf.function(lambda gradients: two_replicas.run(step_of_replica, args=(gradients,)))
    for gradients in GOLDEN["opt_grads"]:
        step(tf.constant(gradients))
    np.testing.assert_allclose(np.array(variables), GOLDEN[case][-1], atol=3e-6)


def test_averages_are_kept_only_where_they_are_needed():
    for arguments, count in (({}, 2), ({"centered": True}, 4), ({"momentum": 0.9}, 4)):
        optimizer = RMSProp(0.1, **arguments)
        optimizer.build(make_variables())
        assert len(optimizer.variables) == 2 + count  # iteration, learning rate


def test_config_round_trip():
    optimizer = RMSProp(0.1, 0.8, 0.5, 1e-3, True, 1e-4, [("a", 2, 0)], global_clipnorm=3.0)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(copy) is RMSProp and copy.get_config() == optimizer.get_config()
    assert copy.rules == (("a", 2.0, 0.0),)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rho": 1.0}, "rho=1.0"),
        ({"momentum": -0.1}, "momentum=-0.1"),
        ({"epsilon": 0}, "epsilon=0"),
        ({"l2": -1}, "l2=-1"),
        ({"weight_decay": 0.1}, "give it as `l2`.*weight_decay=0.1"),
        ({"rules": [("(", 1, 1)]}, "regular expression"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RMSProp(0.1, **arguments)


def test_a_rule_without_a_weight_names_the_nearest():
    with pytest.raises(ValueError, match=r"'\^frist\$' matches none.*Did you mean 'first'"):
        RMSProp(0.1, rules=[("^frist$", 1, 1)]).build(make_variables())
