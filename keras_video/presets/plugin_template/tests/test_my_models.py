"""`MyModels` does what every model must, and its preset builds it."""

import keras_video
import numpy as np
import pytest
from keras_video.testing import ModelContract

from my_models.my_models import MyModels


class TestMyModels(ModelContract):
    model_class = MyModels
    arguments = {"num_classes": 4, "num_frames": 4, "filters": 4}
    learning_rate = 0.5


def test_the_preset_builds_the_model_with_preprocessing_and_labels():
    model = keras_video.models.VideoClassifier.from_preset(
        "my_models_motion", load_weights=False, local_files_only=True
    )
    assert isinstance(model, MyModels)
    views = model.preprocessor(np.zeros((20, 90, 120, 3), "uint8"))
    assert model.predict(views).shape == (1, len(model.labels))
    trainable = sum(np.prod(weight.shape) for weight in model.trainable_weights)
    assert trainable == keras_video.presets.get_preset("my_models_motion").parameters


def test_a_single_frame_is_refused():
    with pytest.raises(ValueError, match="num_frames=1"):
        MyModels(num_frames=1)
