import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from colour_model import LABELS, write_colour_model

from keras_video.data import VideoDecodeError, VideoPreprocessor, render_motion_clip, write_video
from keras_video.inference import Predictor
from keras_video.models import TSM, VGGish


@pytest.fixture(scope="module")
def model():
    model = TSM.from_preset("tsm_tiny_motion")
    model.preprocessor = VideoPreprocessor(
        num_frames=8, num_clips=3, short_side=64, crop_size=64, crop="three"
    )
    return model


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "up.mp4"
    write_video(path, render_motion_clip("moving up", seed=5, num_frames=40, size=96))
    return path


def test_a_model_of_keras_gives_the_answers_of_classify(model, video):
    predictor = Predictor(model)
    expected, (answer, error) = (
        model.classify(video),
        predictor.classify([video, b"no video"], errors="return"),
    )
    assert [each["label"] for each in answer] == [each["label"] for each in expected]
    np.testing.assert_allclose(
        [each["score"] for each in answer], [each["score"] for each in expected], atol=1e-5
    )
    assert isinstance(error, VideoDecodeError)
    assert predictor.runtime.name == "keras"
    assert predictor.labels == model.labels


def test_what_it_takes_and_returns_has_names(model, video):
    predictor = Predictor(model)
    views = predictor.preprocess(video)
    assert views.shape == (9, 8, 64, 64, 3)
    (logits,) = predictor.runtime.run({"clips": views}).values()
    np.testing.assert_allclose(logits, model.predict(views, verbose=0), atol=1e-4)
    np.testing.assert_array_equal(predictor.logits(views), logits)
    scores = predictor.scores(views, batch_size=4)
    np.testing.assert_allclose(scores, model.scores_of_views(logits), atol=1e-5)
    assert predictor.best(scores, 1)[0]["label"] == "moving up"


def test_models_that_name_nothing_say_so():
    predictor = Predictor(VGGish(filters=(4, 4, 4, 4), hidden_dims=(8,), embedding_dim=8))
    with pytest.raises(ValueError, match="Only models with logits.*examples.*features"):
        predictor.classify(b"")
    out = predictor.runtime.run({"examples": np.zeros((2, 50, 64), "float32")})
    assert out["features"].shape == (2, 8)


def test_nonsense_is_refused(model):
    for arguments in ({"top_k": 0}, {"batch_size": 0}, {"errors": "ignore"}):
        with pytest.raises(ValueError, match="Received: "):
            Predictor(model).classify(b"", **arguments)


@pytest.fixture
def exported(tmp_path):
    return write_colour_model(tmp_path / "colours")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_many_threads_get_their_own_answers(exported, runtime):
    predictor = Predictor(exported, runtime)
    videos = [np.eye(3, dtype="uint8")[n % 3] * np.full((4 + n, 8, 8, 1), 200, "uint8")
              for n in range(24)]  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(predictor.classify, videos))
    assert [answer[0]["label"] for answer in answers] == LABELS * 8


def test_labels_of_another_model_are_refused(exported):
    (exported / "labels.txt").write_text("red\ngreen\n")
    with pytest.raises(ValueError, match="has 3 classes. Received: 2 labels"):
        Predictor(exported)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"registered_name": "keras_video>VideoPreprocessor", "config": {"frames": 2}}',
        '{"registered_name": "keras_video>VideoPreprocessor", "config": {"num_frames": "2"}}',
        '{"registered_name": "os>system", "config": {}}',
    ],
)
def test_preprocessing_that_is_none_is_named(exported, text):
    (exported / "preprocessor.json").write_text(text)
    with pytest.raises(ValueError, match="Received: .*preprocessor.json"):
        Predictor(exported)


def test_scores_that_are_no_numbers_are_no_answer(model, video, monkeypatch):
    predictor = Predictor(model)
    monkeypatch.setattr(predictor, "logits", lambda views: np.full((len(views), 8), np.nan, "f4"))
    with pytest.raises(ValueError, match="no numbers.*Received: 8 of 8 scores"):
        predictor.classify(video)


def test_threads_are_said_before_tensorflow_computes(model):
    with pytest.raises(ValueError, match="only before it computes.*Received: threads=17"):
        Predictor(model, threads=17)


def test_the_package_needs_neither_keras_nor_tensorflow():
    code = (
        "import sys; from keras_video.inference import Predictor, open_runtime, compare_runtimes;"
        "print(sorted({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
