"""The base of all models, in a model that is neither a classifier nor takes clips."""

import keras
import numpy as np
import pytest

from keras_video.models import FunctionalModel


@keras.saving.register_keras_serializable(package="test_functional_model")
class Matcher(FunctionalModel):
    """Features and their mask in, two outputs."""

    weight_rules = (("bias$", 2.0, 0.0),)

    def __init__(self, units=3, dtype=None, name=None):
        features, mask = keras.Input((None, 4), name="features"), keras.Input((None,), name="mask")
        dense = keras.layers.Dense(units, dtype=dtype, name="dense")
        kept = dense(features) * mask[..., None]
        outputs = {"all": kept, "sum": keras.ops.sum(kept, axis=1)}
        super().__init__({"features": features, "mask": mask}, outputs, dtype=dtype, name=name)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}


INPUTS = {"features": np.ones((2, 5, 4), "float32"), "mask": np.ones((2, 5), "float32")}


def test_a_config_has_the_arguments_and_the_policy():
    policy = keras.DTypePolicy("mixed_bfloat16")
    model = Matcher(units=7, dtype=policy, name="mine")
    assert model.dtype_policy.name == model.get_layer("dense").dtype_policy.name == "mixed_bfloat16"
    copy = Matcher.from_config(model.get_config())
    assert (copy.units, copy.name, copy.dtype_policy.name) == (7, "mine", "mixed_bfloat16")
    assert Matcher().get_config()["dtype"] is None


def test_a_preset_keeps_several_inputs_and_outputs(tmp_path):
    model = Matcher()
    model.labels = ["left", "right"]
    model.save_to_preset(tmp_path / "preset")
    copy = Matcher.from_preset(tmp_path / "preset")
    assert copy.labels == ["left", "right"] and copy.preprocessor is None
    expected, actual = model.predict(INPUTS, verbose=0), copy.predict(INPUTS, verbose=0)
    assert set(actual) == {"all", "sum"}
    for name, output in expected.items():
        np.testing.assert_array_equal(actual[name], output)


def test_labels_are_names_one_for_each_class():
    model = Matcher()
    for labels in ("abc", [0, 1, 2]):
        with pytest.raises(ValueError, match="list of names. Received: labels="):
            model.labels = labels
    model.num_classes = 3
    with pytest.raises(ValueError, match="Received: 2 labels for 3 classes"):
        model.labels = ["a", "b"]
