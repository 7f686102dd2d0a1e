"""`Adam` with coupled decay is torch's; rules scale rate and decay of single weights."""

import keras
import numpy as np
import pytest

from keras_video.training import Adam, Piecewise


def trained(optimizer, steps=5):
    rng = np.random.default_rng(0)
    weights = [keras.Variable(rng.normal(size=4), name=name) for name in ("first", "second")]
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(rng.normal(size=4)) for _ in weights], weights)
    return [np.array(weight.value) for weight in weights]


def by_hand(l2, rate=0.1, steps=5):
    rng = np.random.default_rng(0)
    p = [rng.normal(size=4) for _ in range(2)]
    m, v = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(1, steps + 1):
        g = [rng.normal(size=4) + l2[i] * p[i] for i in range(2)]
        for i in range(2):
            m[i], v[i] = 0.9 * m[i] + 0.1 * g[i], 0.999 * v[i] + 0.001 * g[i] ** 2
            p[i] = p[i] - rate * (m[i] / (1 - 0.9**t)) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
    return p


@pytest.mark.parametrize("rules, decays", [((), (0.5, 0.5)), ([("first", 1, 0)], (0, 0.5))])
def test_decay_is_part_of_the_gradient(rules, decays):
    weights = trained(Adam(0.1, l2=0.5, rules=rules))
    np.testing.assert_allclose(weights, by_hand(decays), atol=1e-5)


def test_rules_scale_the_rate():
    still, moved = trained(Adam(0.1, rules=[("first", 0, 1)]))
    np.testing.assert_array_equal(still, trained(Adam(0.1), steps=0)[0])
    np.testing.assert_allclose(moved, by_hand((0, 0))[1], atol=1e-5)


def test_its_config_makes_it_again():
    optimizer = Adam(Piecewise([1], [0.1, 0.01], 10), l2=0.01, rules=[("first", 2, 0)], beta_2=0.99)
    config = keras.saving.serialize_keras_object(optimizer)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is Adam and copy.get_config() == optimizer.get_config()
    np.testing.assert_array_equal(trained(copy), trained(optimizer))


@pytest.mark.parametrize(
    "arguments", [{"weight_decay": 0.1}, {"l2": -1.0}, {"beta_1": 1.0}, {"epsilon": 0.0}]
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="Received"):
        Adam(0.1, **arguments)


def test_a_rule_for_no_weight_is_refused():
    with pytest.raises(ValueError, match="matches none"):
        trained(Adam(0.1, rules=[("third", 1, 0)]))
