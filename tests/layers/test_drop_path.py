"""`DropPath`: whole rows, at a rate, with the mean kept."""

import keras
import numpy as np
import pytest

from keras_video.layers import DropPath

ONES = np.ones((1000, 4, 3), "float32")


def test_training_drops_rows_and_keeps_the_mean():
    outputs = keras.ops.convert_to_numpy(DropPath(0.2, seed=1)(ONES, training=True))
    rows = outputs.reshape(1000, -1)
    assert (rows == rows[:, :1]).all()
    assert set(rows[:, 0].tolist()) == {0.0, 1.25}
    assert abs(rows.mean() - 1) < 0.05


def test_further_axes_are_drawn_on_their_own():
    outputs = keras.ops.convert_to_numpy(DropPath(0.5, axes=(0, 1), seed=1)(ONES, training=True))
    assert (outputs == outputs[..., :1]).all()
    assert not (outputs == outputs[:, :1]).all(axis=(1, 2)).all()


@pytest.mark.parametrize("rate, training", [(0.0, True), (0.5, False), (0.5, None)])
def test_nothing_happens_without_training_or_rate(rate, training):
    np.testing.assert_array_equal(DropPath(rate)(ONES, training=training), ONES)


def test_config_and_dtype():
    layer = DropPath(0.25, axes=(0, 2), seed=3, dtype="bfloat16")
    copy = DropPath.from_config(layer.get_config())
    assert (copy.rate, copy.axes, copy.seed) == (0.25, (0, 2), 3)
    assert keras.backend.standardize_dtype(copy(ONES, training=True).dtype) == "bfloat16"


@pytest.mark.parametrize("rate", [-0.1, 1, 2.0])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match=f"below 1. Received: rate={rate}"):
        DropPath(rate)
