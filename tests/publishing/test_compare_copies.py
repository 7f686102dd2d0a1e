"""A copy is compared with its original: weights, labels, and what both say of a clip."""

import numpy as np
import pytest
from tiny_classifier import TinyClassifier, trained

from keras_video.applications import VideoTag
from keras_video.data import VideoPreprocessor, render_motion_clip, write_video
from keras_video.models import BMN, TSM, AttentionLSTM, ResNetBackbone
from keras_video.presets import PresetError
from keras_video.publishing import compare_copies
from keras_video.testing import draw_weights

TINY_TSM = {"num_classes": 3, "depth": 18, "width": 4, "num_frames": 4}
TINY_LSTM = {
    "num_classes": 3, "features": {"rgb": 32}, "embedding_dim": 4, "lstm_dim": 4,
    "hidden_dims": (8, 4), "feature_range": None,
}  # fmt: skip
TINY_BMN = {
    "feature_dim": 8, "num_frames": 10, "hidden_dim": 16, "proposal_dim": 8, "segment_dim": 16,
    "map_dim": 8, "num_samples": 4,
}  # fmt: skip
OTHERS = [
    (ResNetBackbone, {"depth": 18, "width": 4}, "numbers of shape (1, 8, 7, 7, 32)"),
    (AttentionLSTM, TINY_LSTM, "numbers of shape (1, 3)"),
    (BMN, TINY_BMN, "numbers of shape"),
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(path, render_motion_clip("moving left", seed=1, num_frames=12, size=64))
    return str(path)


def tsm(labels=("a", "b", "c")):
    model = TSM(**TINY_TSM)
    draw_weights(model)
    model.preprocessor = VideoPreprocessor(num_frames=4, short_side=32, crop_size=32)
    model.labels = labels
    return model


@pytest.mark.parametrize("model_class, arguments, answer", OTHERS)
def test_other_models_get_frames_or_features(model_class, arguments, answer, clip):
    models = [model_class(**arguments) for _ in range(2)]
    for model in models:
        draw_weights(model)
    comparison = compare_copies(*models, clip)
    assert comparison.answer.startswith(answer) and comparison.difference <= 1e-5


def test_an_application_s_models_are_compared_and_then_itself(clip):
    taggers = []
    for _ in range(2):
        predictor = AttentionLSTM(**TINY_LSTM)
        draw_weights(predictor)
        predictor.labels = ["x", "y", "z"]
        taggers.append(VideoTag(tsm(), predictor, extraction={"frames": 4}))
    comparison = compare_copies(*taggers, clip)
    assert comparison.answer[:2] in ("'x", "'y", "'z")
    last = taggers[1].extractor.weights[-1]
    last.assign(last + 1)
    with pytest.raises(PresetError, match="other weights: .*1 that differ, in a TSM"):
        compare_copies(*taggers, clip)


def test_a_classifier_s_copy_has_its_labels_preprocessor_and_weights(clip):
    model, copy = tsm(), tsm()
    comparison = compare_copies(model, copy, clip)
    assert comparison.answer[:2] in ("'a", "'b", "'c") and comparison.difference == 0
    copy.labels = ("b", "a", "c")
    with pytest.raises(PresetError, match="other labels. Received: 'b', ... instead of 'a'"):
        compare_copies(model, copy, clip)
    copy.labels = model.labels
    copy.preprocessor = VideoPreprocessor(num_frames=4, short_side=64, crop_size=32)
    with pytest.raises(PresetError, match="answers otherwise. Received: a difference of"):
        compare_copies(model, copy, clip)
    copy.weights[0].assign(copy.weights[0] + np.float32(1e-6))
    with pytest.raises(PresetError, match="other weights: 'stem_conv.*1 that differ"):
        compare_copies(model, copy, clip)
    with pytest.raises(PresetError, match="has other weights"):
        compare_copies(trained(), TinyClassifier(filters=5), clip)
