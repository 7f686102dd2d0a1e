"""The base of all models and their contract, for one that is no classifier and takes no clips."""

import keras
import numpy as np
import pytest
from models.feature_model import FeatureModel

from keras_video.presets import model_names, register_model
from keras_video.testing import ModelContract

INPUTS = {"features": np.ones((2, 5, 4), "float32"), "mask": np.ones((2, 5), "float32")}


def test_a_config_has_the_arguments_and_the_policy():
    policy = keras.DTypePolicy("mixed_bfloat16")
    model = FeatureModel(units=7, dtype=policy, name="mine")
    assert model.dtype_policy.name == model.get_layer("dense").dtype_policy.name == "mixed_bfloat16"
    copy = FeatureModel.from_config(model.get_config())
    assert (copy.units, copy.name, copy.dtype_policy.name) == (7, "mine", "mixed_bfloat16")
    assert FeatureModel().get_config()["dtype"] is None


def test_a_preset_keeps_several_inputs_and_outputs(tmp_path):
    model = FeatureModel()
    model.labels = ["left", "right"]
    model.save_to_preset(tmp_path / "preset")
    copy = FeatureModel.from_preset(tmp_path / "preset")
    assert copy.labels == ["left", "right"] and copy.preprocessor is None
    expected, actual = model.predict(INPUTS, verbose=0), copy.predict(INPUTS, verbose=0)
    assert set(actual) == {"all", "sum"}
    for name, output in expected.items():
        np.testing.assert_array_equal(actual[name], output)


def test_labels_are_names_one_for_each_class():
    model = FeatureModel()
    for labels in ("abc", [0, 1, 2]):
        with pytest.raises(ValueError, match="list of names. Received: labels="):
            model.labels = labels
    model.num_classes = 3
    with pytest.raises(ValueError, match="Received: 2 labels for 3 classes"):
        model.labels = ["a", "b"]


class TestFeatureModel(ModelContract):
    """Several inputs of any length, several outputs, another loss."""

    model_class = FeatureModel
    learning_rate = 0.1

    @classmethod
    def inputs(cls, batch_size, length=6):
        random = np.random.default_rng(0)
        features = random.normal(size=(4, length, 4))[:batch_size].astype("float32")
        mask = (np.arange(length) < [[3], [5], [4], [6]])[:batch_size].astype("float32")
        return {"features": features, "mask": mask}

    @classmethod
    def other_inputs(cls):
        return [cls.inputs(1, length=9)]

    @classmethod
    def targets(cls, batch_size):
        return {"all": np.zeros((batch_size, 6, 3)), "sum": np.zeros((batch_size, 3))}

    @classmethod
    def loss(cls):
        return {"all": "mse", "sum": "mse"}

    @classmethod
    def setup_class(cls):
        register_model("feature_model", "models.feature_model:FeatureModel")
        super().setup_class()

    @classmethod
    def teardown_class(cls):
        super().teardown_class()
        del model_names._models["feature_model"]
