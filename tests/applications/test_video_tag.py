"""VideoTag tags whole videos: two models, one answer, whatever their length."""

import numpy as np
import pytest

from keras_video.applications import VideoTag
from keras_video.applications.video_tag import reference_result
from keras_video.data import VideoDecodeError, VideoPreprocessor, render_tagged_clip, write_video
from keras_video.models import TSM, AttentionLSTM, TimeSformer
from keras_video.presets import PresetError, register_model, register_preset
from keras_video.presets.preset import Preset
from keras_video.testing import draw_weights

LABELS = ["red", "cat", "zoom", "cat", "blue"]
EXTRACTION = {"stride": 2}


@pytest.fixture(scope="module")
def extractor():
    model = TSM(num_classes=3, num_frames=4, depth=18, width=8)
    draw_weights(model)
    model.preprocessor = VideoPreprocessor(4, short_side=32, crop_size=32)
    return model


def predictor(num_classes=5, **features):
    model = AttentionLSTM(
        num_classes=num_classes,
        features=features or {"rgb": 64},
        embedding_dim=8,
        lstm_dim=4,
        hidden_dims=(8, 8),
        feature_range=None,
    )
    draw_weights(model)
    model.labels = LABELS if num_classes == 5 else None
    return model


@pytest.fixture(scope="module")
def tagger(extractor):
    return VideoTag(extractor, predictor(), extraction=EXTRACTION, thresholds=[0.5] * 5)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for seed, length in enumerate((9, 40, 150)):
        clip, _ = render_tagged_clip(seed, num_frames=length, size=32)
        write_video(folder / f"{seed}.mp4", clip)
    return [folder / f"{seed}.mp4" for seed in range(3)]


@pytest.fixture(autouse=True)
def known_models():
    register_model("tsm", "keras_video.models:TSM")
    register_preset(Preset(name="known", model="keras_video.models:AttentionLSTM"))


def test_tags_are_sorted_probabilities_and_equal_names_stay_apart(tagger, videos):
    tags = tagger(videos[1])
    assert sorted(tag["class_id"] for tag in tags) == list(range(5))
    assert [tag["label"] for tag in tags] == [LABELS[tag["class_id"]] for tag in tags]
    scores = [tag["score"] for tag in tags]
    assert scores == sorted(scores, reverse=True) and 0 < scores[-1] < scores[0] < 1
    assert tagger(videos[1], top_k=2) == tags[:2]


def test_the_answer_is_the_predictors_on_the_extractors_features(tagger, videos):
    from keras_video.features import FeatureExtractor

    features = FeatureExtractor(tagger.extractor, **EXTRACTION)(videos[2]).features
    assert features.shape == (75, 64)
    mask = np.ones((1, 75), bool)
    logits = np.asarray(tagger.predictor({"rgb": features[None], "rgb_mask": mask}))[0]
    expected = 1 / (1 + np.exp(-logits))
    tags = tagger(videos[2], top_k=None)
    actual = [next(t["score"] for t in tags if t["class_id"] == i) for i in range(5)]
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_several_videos_and_bad_ones(tagger, videos, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    results = tagger([videos[0], bad, videos[1]], errors="return")
    assert results[0] == tagger(videos[0]) and results[2] == tagger(videos[1])
    assert isinstance(results[1], VideoDecodeError) and "bad.mp4" in str(results[1])
    with pytest.raises(VideoDecodeError, match="bad.mp4"):
        tagger([bad])


def test_thresholds_choose_tags(extractor, tagger, videos):
    tags = tagger(videos[1])
    middle = tags[2]["score"]
    assert tagger(videos[1], threshold=middle) == tags[:3]
    assert tagger(videos[1], threshold=1.0) == []
    thresholds = [0.0 if i == tags[-1]["class_id"] else 1.0 for i in range(5)]
    chooser = VideoTag(extractor, tagger.predictor, extraction=EXTRACTION, thresholds=thresholds)
    assert chooser(videos[1], threshold="best") == tags[-1:]
    plain = VideoTag(extractor, tagger.predictor, extraction=EXTRACTION)
    with pytest.raises(ValueError, match="'best', thresholds=None"):
        plain(videos[1], threshold="best")


def test_a_saved_tagger_gives_the_same_tags(tagger, videos, tmp_path):
    tagger.save_to_preset(tmp_path / "tags")
    loaded = VideoTag.from_preset(tmp_path / "tags")
    assert loaded.get_config() == tagger.get_config() and loaded.labels == LABELS
    for ours, theirs in zip(loaded(videos[0]), tagger(videos[0]), strict=True):
        assert ours["class_id"] == theirs["class_id"]
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-6)


def test_models_and_thresholds_that_do_not_fit_are_refused(extractor):
    with pytest.raises(ValueError, match="64 features.*'rgb': 32"):
        VideoTag(extractor, predictor(rgb=32))
    with pytest.raises(ValueError, match="one modality"):
        VideoTag(extractor, predictor(rgb=64, audio=8))
    with pytest.raises(ValueError, match="2 thresholds"):
        VideoTag(extractor, predictor(), thresholds=[0.1, 0.2])
    with pytest.raises(ValueError, match="threshold from 0 to 1"):
        VideoTag(extractor, predictor(), thresholds=[0.1] * 4 + [float("nan")])
    with pytest.raises(ValueError, match="Only 2-D networks"):
        model = TimeSformer(4, 1, 32, patch_size=16, hidden_dim=8, num_layers=1, num_heads=2)
        model.preprocessor = VideoPreprocessor(1, short_side=32, crop_size=32)
        VideoTag(model, predictor(), extraction={"layers": ["stem_pool"]})


def test_wrong_arguments_are_named(tagger, videos):
    with pytest.raises(ValueError, match="top_k=0"):
        tagger(videos[0], top_k=0)
    with pytest.raises(ValueError, match="threshold=2"):
        tagger(videos[0], threshold=2)
    with pytest.raises(ValueError, match="errors='ignore'"):
        tagger(videos[0], errors="ignore")
    with pytest.raises(ValueError, match=r"shape=\(3, 7\)"):
        tagger.scores(np.zeros((3, 7)))
    with pytest.raises(PresetError, match="of a model .AttentionLSTM."):
        VideoTag.from_preset("known")


def test_results_have_the_form_of_the_references_files():
    tags = [{"label": "训练", "class_id": 3110, "score": 0.98}]
    assert reference_result("data/mp4/1.mp4", tags) == [
        "data/mp4/1.mp4",
        {"class_name": "训练", "probability": 0.98, "class_id": 3110},
    ]
