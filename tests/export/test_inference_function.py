import keras
import numpy as np
import pytest
from models.test_contract import CONTRACTS, ResNetContract

from keras_video.export import make_inference_function
from keras_video.models import TSM
from keras_video.testing import draw_clips


@pytest.mark.parametrize("contract", CONTRACTS)
def test_gives_the_outputs_of_predict(contract):
    contract.setup_class()
    clips, expected = contract.inputs(2), contract.outputs
    infer = make_inference_function(contract.model)
    first = infer(keras.tree.map_structure(as_float, contract.inputs(1)))
    keras.tree.assert_same_structure(infer(clips), expected)
    flat = map(keras.tree.flatten, (infer(clips), first, expected))
    for both, one, correct in zip(*flat, strict=True):
        scale = np.abs(correct).max()
        np.testing.assert_allclose(both, correct, atol=1e-5 * scale)
        np.testing.assert_allclose(one, correct[:1], atol=1e-4 * scale)


def as_float(array):
    return array.astype("float32") if array.dtype == "uint8" else array


def test_later_changes_of_the_weights_do_not_reach_it():
    model = TSM(**ResNetContract.arguments)
    clips = draw_clips(2, 4, 45, 64)
    infer = make_inference_function(model)
    before = np.asarray(infer(clips))
    bias = model.get_layer("classifier").bias
    bias.assign(np.asarray(bias) + 1)
    np.testing.assert_array_equal(infer(clips), before)
    assert np.abs(model.predict(clips, verbose=0) - before).min() > 0.5
