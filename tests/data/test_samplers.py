"""Sampled frame numbers against those of PaddleVideo, for 404 video lengths."""

from pathlib import Path

import numpy as np
import pytest

from keras_video.data import samplers

GOLDEN = Path(__file__).parent.parent / "golden" / "data" / "sampler_indices.npz"
LENGTHS = [1, 2, 3, 7, 8, 9, 31, 63, 64, 65, 300, 3000]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


def assert_same_as_reference(golden, name, sampler, offset=0):
    for length, expected in zip(golden["lengths"].tolist(), golden[name], strict=True):
        indices = sampler(length)
        assert indices.reshape(-1).tolist() == (expected - offset).tolist(), length


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_segment_is_the_reference_select_left(golden, frames):
    name = f"tsn_tsm_selectleft_valid_seg{frames}_video"
    assert_same_as_reference(
        golden, name, lambda length: samplers.sample_segment(length, frames, repeat_first=True)
    )


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_segment_differs_from_the_reference_only_in_short_videos(golden, frames):
    name = f"tsn_tsm_selectleft_valid_seg{frames}_video"
    for length, expected in zip(golden["lengths"].tolist(), golden[name], strict=True):
        if length > frames:
            assert samplers.sample_segment(length, frames)[0].tolist() == expected.tolist()


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_uniform_is_the_reference_default(golden, frames):
    name = f"default_valid_seg{frames}_video"
    assert_same_as_reference(golden, name, lambda n: samplers.sample_uniform(n, frames))


def test_uniform_with_several_frames_per_segment(golden):
    assert_same_as_reference(
        golden,
        "default_valid_seg8_len3_video",
        lambda length: samplers.sample_uniform(length, 24, segment_frames=3),
    )


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_linspace_is_the_reference_linspace(golden, frames):
    name = f"linspace_valid_seg{frames}_video"
    assert_same_as_reference(golden, name, lambda n: samplers.sample_linspace(n, frames))


@pytest.mark.parametrize("fps", [25.0, 29.97, 30.0])
def test_linspace_over_the_window_of_timesformer(golden, fps):
    name = f"timesformer_linspace_valid_seg8_video_fps{fps}"
    end = 32 * 8 / 30 * fps - 1
    assert_same_as_reference(golden, name, lambda n: samplers.sample_linspace(n, 8, end=end))
    timesformer = samplers.get_sampler("timesformer")
    assert_same_as_reference(golden, name, lambda n: timesformer(n, 8, fps=fps))


@pytest.mark.parametrize("frames", [8, 16])
def test_dense_is_the_reference_dense_without_its_added_one(golden, frames):
    name = f"dense_valid_seg{frames}_video"
    assert_same_as_reference(golden, name, lambda n: samplers.sample_dense(n, frames, 10), offset=1)


@pytest.mark.parametrize("clips", [1, 4])
def test_interval_is_the_reference_frame_interval(golden, clips):
    name = f"interval2_valid_seg{clips}_len32_video"
    assert_same_as_reference(golden, name, lambda n: samplers.sample_interval(n, 32, clips))


@pytest.mark.parametrize("name", ["segment", "uniform", "linspace", "dense", "interval"])
@pytest.mark.parametrize("clips", [1, 3])
def test_indices_stay_inside_every_video(name, clips):
    for length in LENGTHS:
        for frames in (1, 8, 33, 100):
            indices = samplers.get_sampler(name)(length, frames, clips)
            assert indices.shape == (clips, frames)
            assert indices.dtype == np.int64
            assert indices.min() >= 0 and indices.max() < length


def test_short_videos_are_extended_as_documented():
    assert samplers.sample_segment(5, 8).tolist() == [[0, 0, 1, 2, 2, 3, 4, 4]]
    assert samplers.sample_linspace(5, 8).tolist() == [[0, 0, 1, 1, 2, 2, 3, 4]]
    assert samplers.sample_uniform(5, 8).tolist() == [[0, 1, 2, 3, 4, 0, 1, 2]]
    assert samplers.sample_interval(5, 4, frame_interval=2).tolist() == [[0, 2, 4, 1]]
    assert samplers.sample_dense(20, 8, 2).tolist() == 2 * [[0, 8, 16, 4, 12, 0, 8, 16]]


def test_several_clips_each_cover_the_whole_video():
    clips = samplers.sample_segment(300, 8, num_clips=3)
    assert (clips[:, 0] < 40).all() and (clips[:, -1] > 260).all()
    assert np.array_equal(np.sort(clips.reshape(-1)), samplers.sample_segment(300, 24)[0])


def test_a_name_may_say_the_interval_between_frames():
    slow = samplers.get_sampler("slowfast:8")
    expected = samplers.sample_slowfast(300, 8, 10, frame_interval=8, fps=25.0)
    np.testing.assert_array_equal(slow(300, 8, 10, fps=25.0), expected)
    assert samplers.get_sampler("timesformer:16")(1000, 16)[0, [0, -1]].tolist() == [0, 255]
    assert samplers.get_sampler("interval:4")(40, 4, 2)[0].tolist() == [6, 10, 14, 18]


def test_a_single_dense_clip_is_the_middle_one():
    assert samplers.sample_dense(264, 8, num_clips=1)[0, 0] == 100


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: length=0, num_frames=8"):
        samplers.sample_segment(0, 8)
    with pytest.raises(ValueError, match="Received: num_frames=8, segment_frames=3"):
        samplers.sample_uniform(100, 8, segment_frames=3)
    with pytest.raises(ValueError, match="Did you mean 'segment'.*Received: sampling='segmnt'"):
        samplers.get_sampler("segmnt")
    for name in ("segment:8", "slowfast:x", "slowfast:0", "slowfast:1.5"):
        with pytest.raises(ValueError, match=f"take a number.*Received: sampling='{name}'"):
            samplers.get_sampler(name)
    with pytest.raises(ValueError, match="must be callable"):
        samplers.register_sampler("mine", 3)
