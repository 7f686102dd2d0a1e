"""What every model must do; `contract_cases.py` lists the models."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from models.contract_cases import CASES, build, clips

import keras_video

TESTS = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module", params=CASES)
def model(request):
    return build(request.param)


@pytest.fixture(scope="module")
def logits(model):
    return model.predict(clips(), verbose=0)


def test_logits_are_float32_and_of_the_right_shape(model, logits):
    assert logits.shape == (2, 5)
    assert logits.dtype == "float32"
    assert logits.std() > 0.01


def test_uint8_and_float_clips_give_the_same_answer(model, logits):
    np.testing.assert_array_equal(model.predict(clips().astype("float32"), verbose=0), logits)


def test_config_round_trip(model):
    config = json.loads(json.dumps(model.get_config()))
    copy = type(model).from_config(config)
    assert copy.get_config() == model.get_config()
    assert [w.path for w in copy.weights] == [w.path for w in model.weights]


def test_keras_file_round_trip(model, logits, tmp_path):
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert type(copy) is type(model)
    np.testing.assert_array_equal(copy.predict(clips(), verbose=0), logits)


def test_preset_round_trip(model, logits, tmp_path):
    model.labels = list("abcde")
    model.preprocessor = keras_video.data.VideoPreprocessor(num_frames=4, crop_size=48)
    model.save_to_preset(tmp_path / "preset")
    copy = keras_video.models.VideoClassifier.from_preset(str(tmp_path / "preset"))
    assert type(copy) is type(model)
    assert copy.labels == list("abcde")
    assert copy.preprocessor.get_config() == model.preprocessor.get_config()
    np.testing.assert_array_equal(copy.predict(clips(), verbose=0), logits)


def test_variable_paths_are_unique(model):
    paths = [w.path for w in model.weights]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_reduced_precision_agrees_with_float32(model, logits, dtype):
    copy = build(type(model).__name__, dtype=dtype)
    actual = copy.predict(clips(), verbose=0)
    assert actual.dtype == "float32"
    np.testing.assert_allclose(actual, logits, atol=0.1 * np.abs(logits).max())


def test_the_loss_is_scaled_for_float16_however_the_policy_is_set(model):
    copy = build(type(model).__name__, dtype="mixed_float16")
    copy.compile("sgd", "mse")
    assert copy.dtype_policy.name == copy.backbone.dtype_policy.name == "mixed_float16"
    assert isinstance(copy.optimizer, keras.optimizers.LossScaleOptimizer)


def test_frames_of_any_size(model):
    for height, width in ((32, 33), (71, 57)):
        assert model.predict(clips(1, 4, height, width), verbose=0).shape == (1, 5)


def test_fit_lowers_the_loss(model):
    copy = build(type(model).__name__, dropout=0.0)
    copy.compile(
        keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    history = copy.fit(clips(), np.array([1, 3]), batch_size=2, epochs=6, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]


def test_two_replicas_predict_and_train(model, logits, two_replicas):
    with two_replicas.scope():
        copy = build(type(model).__name__, synchronized=True)
        copy.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    np.testing.assert_allclose(copy.predict(clips(), verbose=0), logits, rtol=1e-4, atol=1e-4)
    history = copy.fit(clips(4), np.array([1, 3, 0, 2]), batch_size=4, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_saved_model_export_gives_the_same_logits(model, logits, tmp_path):
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    actual = served.serve(clips().astype("float32"))
    np.testing.assert_allclose(actual, logits, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_agree(backend, tmp_path):
    expected = {name: build(name).predict(clips(), verbose=0) for name in CASES}
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(TESTS)}
    script = TESTS / "models" / "run_on_backend.py"
    subprocess.run(
        [sys.executable, script, tmp_path / "out.npz"], env=environment, check=True, timeout=300
    )
    outputs = np.load(tmp_path / "out.npz")
    assert str(outputs["backend"]) == backend
    for name, logits in expected.items():
        np.testing.assert_allclose(outputs[name], logits, rtol=1e-4, atol=1e-4, err_msg=name)
        assert np.isfinite(outputs[f"{name}:loss"])
