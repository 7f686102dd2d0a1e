"""Clips to calibrate int8 on, from the user's videos."""

import numpy as np
import pytest

import keras_video
from keras_video.data import VideoPreprocessor, render_motion_clip, write_video
from keras_video.export.calibration import CalibrationWarning, calibration_samples


@pytest.fixture(scope="module")
def model():
    return keras_video.models.TSM.from_preset("tsm_tiny_motion")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    paths = [folder / f"{seed}.mp4" for seed in range(3)]
    for seed, path in enumerate(paths):
        write_video(path, render_motion_clip("moving left", seed, 16, 64), fps=8)
    return paths


def test_each_video_gives_the_clip_that_the_model_sees(model, videos):
    samples = calibration_samples(model, videos)
    assert [set(sample) for sample in samples] == [{"clips"}] * 3
    for sample, path in zip(samples, videos, strict=True):
        np.testing.assert_array_equal(sample["clips"], model.preprocessor(path))


def test_no_more_videos_are_read_than_needed(model):
    read = []

    def frames():
        for seed in range(5):
            read.append(seed)
            yield render_motion_clip("moving up", seed, 8, 64)

    assert len(calibration_samples(model, frames(), num_clips=2)) == 2
    assert read == [0, 1]


def test_few_videos_give_several_views_each(model):
    video = np.stack([np.full((64, 64, 3), grey, "uint8") for grey in range(0, 200, 5)])
    preprocessor = VideoPreprocessor(8, short_side=64, crop_size=64, views="10x1")
    views = preprocessor(video)
    original, model.preprocessor = model.preprocessor, preprocessor
    try:
        (only,) = calibration_samples(model, [video], num_clips=1)
        four = calibration_samples(model, [video, video], num_clips=4)
    finally:
        model.preprocessor = original
    assert any(np.array_equal(only["clips"][0], view) for view in views[4:6])
    assert [len(sample["clips"]) for sample in four] == [1, 1, 1, 1]
    assert four[0]["clips"].max() < four[1]["clips"].max()


def test_videos_that_cannot_be_read_are_named_and_left_out(model, videos, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.warns(CalibrationWarning, match=r"1 videos cannot be read.*broken\.mp4"):
        samples = calibration_samples(model, [broken, *videos])
    assert len(samples) == 3


def test_without_a_readable_video_there_is_no_calibration(model, tmp_path):
    with pytest.raises(ValueError, match=r"videos that can be read.*gone\.mp4"):
        calibration_samples(model, [tmp_path / "gone.mp4"])
    with pytest.raises(ValueError, match="Received: 0 that cannot"):
        calibration_samples(model, [])


def test_models_without_preprocessor_are_refused(model):
    original, model.preprocessor = model.preprocessor, None
    try:
        with pytest.raises(ValueError, match="Received: inputs=.*preprocessor=None"):
            calibration_samples(model, [])
    finally:
        model.preprocessor = original
