import io
import tracemalloc

import numpy as np
import pytest

import keras_video
from keras_video.data import VideoDecodeError, VideoPreprocessor, render_motion_clip, write_video
from keras_video.features import FeatureExtractor, step_plan
from keras_video.features.decoding_pool import VideoJob
from keras_video.models import TSN, SlowFast


@pytest.fixture(scope="module")
def tiny():
    return keras_video.models.TSM.from_preset("tsm_tiny_motion")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(path, render_motion_clip("moving left", 3, 41, 80), fps=20)
    return path


# === What is seen ===


def test_a_real_model_gives_what_its_feature_model_gives(tiny, clip):
    found = FeatureExtractor(tiny, frames=8)(clip)
    settings = {**tiny.preprocessor.get_config(), "sampling": "uniform"}
    views = VideoPreprocessor(**settings)(clip)
    expected = tiny.feature_model().predict(views, verbose=0)[0]
    np.testing.assert_allclose(found.features, expected, atol=1e-5)
    assert found.features.dtype == np.float32
    assert (found.duration, found.fps) == (41 / 20, 20)
    np.testing.assert_allclose(found.times, np.arange(8) * 0.25 + 0.1)


def test_steps_are_those_of_the_rule(gray):
    frames = gray.frames(50)
    for arguments, expected in (
        ({"frames": 5}, [4, 14, 24, 34, 44]),
        ({"fps": 5}, range(0, 50, 5)),
        ({"stride": 7}, range(0, 50, 7)),
        ({}, range(0, 50, 5)),
    ):
        for kind in ("alone", "groups"):
            found = gray.extractor(kind, **arguments)(frames)
            np.testing.assert_allclose(found.features[:, 0], expected, atol=1e-4)
            np.testing.assert_allclose(found.times, np.array(expected) / 25)


def test_groups_are_consecutive_steps_and_the_last_is_filled_up(gray):
    found = gray.extractor("groups", stride=3)(gray.frames(16))  # 0 3 6 9, 12 15 15 15
    assert found.features.tolist() == [
        [0, 18], [3, 18], [6, 18], [9, 18], [12, 57], [15, 57]
    ]  # fmt: skip


def test_clips_have_the_presets_interval(gray):
    found = gray.extractor("clips", stride=10)(gray.frames(24))  # 4 frames, every other
    assert found.features.tolist() == [[3, 12], [13, 52], [22, 88]]
    np.testing.assert_allclose(found.times, [0.12, 0.52, 0.86])
    wide = gray.extractor("clips", frames=1, frame_interval=5)(gray.frames(20))
    assert wide.features.tolist() == [[9.5, 38]]


def test_clips_of_presets_are_one_a_second_unless_told(gray):
    assert len(gray.extractor("clips")(gray.frames(100)).features) == 5


def test_variable_frame_rates_have_their_own_times(gray, tmp_path):
    stamps = np.cumsum([0, *np.random.default_rng(0).choice([20, 33, 40, 100, 300], 59)])
    path = gray.write(tmp_path / "vfr.mkv", 60, stamps)
    every = gray.extractor(stride=1)(path)
    np.testing.assert_allclose(every.times, stamps / 1000, atol=2e-3)
    np.testing.assert_allclose(every.features[:, 0], np.arange(60), atol=1e-4)
    found = gray.extractor(fps=8)(path)
    np.testing.assert_allclose(found.times, np.arange(len(found.times)) / 8)
    shown = [np.flatnonzero(stamps / 1000 <= moment + 1e-3)[-1] for moment in found.times]
    np.testing.assert_allclose(found.features[:, 0], shown, atol=1e-4)
    assert found.times[-1] < found.duration <= found.times[-1] + 1 / 8 + 1e-3


# === However it is computed ===


@pytest.mark.parametrize("kind", ["alone", "groups", "clips"])
def test_batches_workers_and_segments_change_nothing(gray, tmp_path, monkeypatch, kind):
    path = gray.write(tmp_path / "long.mp4", 150)
    expected = gray.extractor(kind, stride=2)(path)
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 24)
    for arguments in ({"workers": 1}, {"workers": 3, "batch_size": 1}, {"batch_size": 5}):
        found = gray.extractor(kind, stride=2, **arguments)(path)
        np.testing.assert_array_equal(found.features, expected.features)
        np.testing.assert_array_equal(found.times, expected.times)


def test_paths_bytes_files_and_pictures_are_sources(gray, tmp_path, monkeypatch):
    monkeypatch.setattr(step_plan, "_SEGMENT_FRAMES", 8)
    path = gray.write(tmp_path / "clip.mp4", 40)
    extract = gray.extractor(stride=1)
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_allclose(extract(source).features[:, 0], np.arange(40), atol=1e-4)
    assert extract(gray.frames(10), frame_rate=5).duration == 2.0
    assert extract(gray.frames(10).astype("float32")).duration == pytest.approx(0.4)


def test_reduced_precision_comes_near_and_stays_float32(tiny, clip):
    full = FeatureExtractor(tiny, stride=6)(clip).features
    reduced = FeatureExtractor(tiny, stride=6, precision="mixed_bfloat16")(clip).features
    assert reduced.dtype == np.float32
    assert 0 < np.abs(reduced - full).max() < 0.1 * np.abs(full).max()
    assert tiny.dtype_policy.name == "float32"


def test_a_preset_is_loaded_by_its_name(tiny, clip):
    by_name = FeatureExtractor("tsm_tiny_motion", stride=8)
    expected = FeatureExtractor(tiny, stride=8)
    assert (by_name.channels, by_name.settings()) == (128, expected.settings())
    np.testing.assert_allclose(by_name(clip).features, expected(clip).features, atol=1e-5)


def test_other_weights_are_other_settings():
    models = [TSN(3, 2, depth=18, width=4, image_size=32) for _ in range(2)]
    for model in models:
        model.preprocessor = VideoPreprocessor(2, short_side=32, crop_size=32)
    first, second = (FeatureExtractor(model).settings() for model in models)
    assert first.pop("weights") != second.pop("weights")
    assert first == second


def test_slowfast_gives_a_step_for_each_clip():
    model = SlowFast(3, 8, depth=14, width=8, image_size=32)
    model.preprocessor = VideoPreprocessor(8, "slowfast", short_side=32, crop_size=32)
    frames = render_motion_clip("zooming in", 0, 50, 32)
    found = FeatureExtractor(model, stride=16)(frames)
    first = np.stack([frames[0:16:2], frames[16:32:2]])
    expected = model.feature_model().predict(first, verbose=0)[:, 0]
    np.testing.assert_allclose(found.features[:2], expected, rtol=1e-4, atol=1e-5)
    assert len(found.features) == 4


def test_the_memory_of_a_long_video_is_that_of_a_short_one(gray, tmp_path):
    """3,000 frames, 37 MB of them as the network sees them."""
    path = gray.write(tmp_path / "long.mp4", 3000, side=64)
    extract = FeatureExtractor(gray.model(side=64), stride=1, workers=2)
    extract(gray.frames(8, side=64))
    tracemalloc.start()
    found = extract(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.features[:, 0].round().tolist() == (np.arange(3000) % 256).tolist()
    assert peak < 3000 * 64 * 64 * 3 / 5


# === What goes wrong ===


def test_bad_videos_raise_and_the_next_one_is_done(gray, tmp_path):
    extract = gray.extractor(stride=1)
    (tmp_path / "text.mp4").write_text("not a video" * 100)
    for bad in (tmp_path / "text.mp4", tmp_path / "none.mp4", b""):
        with pytest.raises(VideoDecodeError):
            extract(bad)
    with pytest.raises(ValueError, match="time, height, width"):
        extract(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="frame_rate.*above 0"):
        extract(gray.frames(3), frame_rate=0)
    assert len(extract(gray.frames(3)).features) == 3


def test_an_error_that_is_no_videos_fault_stops_all_threads(gray):
    def broken():
        raise RuntimeError("bug")

    events = gray.extractor(workers=2).run([VideoJob(n, broken) for n in range(5)])
    with pytest.raises(RuntimeError, match="bug"):
        list(events)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 3, "fps": 2}, "Give one of"),
        ({"batch_size": 0}, "`batch_size` must be a whole number from 1"),
        ({"workers": 1.5}, "`workers` must be a whole number from 1"),
        ({"decoder": "pyavv"}, "Did you mean 'pyav'"),
        ({"precision": "half"}, "`precision` is a dtype policy"),
        ({"frame_interval": 2}, "sees frames"),
    ],
)
def test_arguments_are_checked(gray, arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received"):
        FeatureExtractor(gray.model(), **arguments)


def test_models_are_checked(gray):
    with pytest.raises(ValueError, match="VideoClassifier.*Received"):
        FeatureExtractor(3)
    model = gray.model()
    model.preprocessor = VideoPreprocessor(4, short_side=40, crop_size=32)
    with pytest.raises(ValueError, match="doesn't suit.*crop_size=32.*16x16"):
        FeatureExtractor(model)
    model.preprocessor = None
    with pytest.raises(ValueError, match="no `VideoPreprocessor`"):
        FeatureExtractor(model)
    clips = gray.model(per_frame=False)
    clips.preprocessor = VideoPreprocessor(4, "segment", short_side=16, crop_size=16)
    with pytest.raises(ValueError, match="span the whole video.*frame_interval"):
        FeatureExtractor(clips)
