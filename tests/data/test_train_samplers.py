"""Random clips for training: those of PaddleVideo from its seeds, and what holds for any seed."""

import functools
from pathlib import Path

import numpy as np
import pytest
from golden_random import LegacyNumPy, LegacyPython

from keras_video.data import samplers

GOLDEN = Path(__file__).parent.parent / "golden" / "data"
NAMES = ["segment", "uniform", "linspace", "dense", "interval", "slowfast", "timesformer"]
LENGTHS = [1, 2, 7, 8, 9, 63, 64, 65, 66, 300]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "sampler_train_indices.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def slowfast():
    with np.load(GOLDEN / "slowfast_indices.npz") as file:
        return dict(file)


def assert_same_as_reference(golden, name, sampler, generator, offset=0):
    """The reference seeds its generators with the video's length before each of these."""
    for length, expected in zip(golden["lengths"].tolist(), golden[name], strict=True):
        indices = sampler(length, rng=generator(length))
        assert indices.reshape(-1).tolist() == (expected.astype(int) - offset).tolist(), length


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_segment_is_the_reference_select_left(golden, frames):
    sampler = functools.partial(samplers.sample_segment, num_frames=frames, repeat_first=True)
    name = f"tsn_tsm_selectleft_train_seg{frames}_video_seed0"
    assert_same_as_reference(golden, name, sampler, LegacyNumPy)


@pytest.mark.parametrize("frames", [3, 8, 16, 25])
def test_uniform_is_the_reference_default(golden, frames):
    sampler = functools.partial(samplers.sample_uniform, num_frames=frames)
    name = f"default_train_seg{frames}_video_seed0"
    assert_same_as_reference(golden, name, sampler, LegacyPython)


def test_uniform_with_several_frames_per_segment(golden):
    sampler = functools.partial(samplers.sample_uniform, num_frames=24, segment_frames=3)
    assert_same_as_reference(golden, "default_train_seg8_len3_video_seed0", sampler, LegacyPython)


@pytest.mark.parametrize("frames", [8, 16])
def test_dense_is_the_reference_dense_without_its_added_one(golden, frames):
    sampler = functools.partial(samplers.sample_dense, num_frames=frames, num_clips=1)
    name = f"dense_train_seg{frames}_video_seed0"
    assert_same_as_reference(golden, name, sampler, LegacyNumPy, offset=1)


@pytest.mark.parametrize("clips", [1, 4])
def test_interval_is_the_reference_frame_interval(golden, clips):
    sampler = functools.partial(samplers.sample_interval, num_frames=32, num_clips=clips)
    name = f"interval2_train_seg{clips}_len32_video_seed0"
    # A video as long as the clip has one place for it; the reference lets the last of several
    # clips begin a frame later and go on from the video's start.
    keep = golden["lengths"] != (64 if clips > 1 else 0)
    golden = {key: golden[key][keep] for key in ("lengths", name)}
    assert_same_as_reference(golden, name, sampler, LegacyNumPy)


SLOWFAST = [(32, 25.0), (32, 29.97), (32, 60.0), (64, 29.97)]


def assert_same_inside_the_video(indices, expected, length):
    """The reference's last index may equal the length, a frame that does not exist."""
    assert indices.tolist() == np.minimum(expected, length - 1).tolist()


@pytest.mark.parametrize("frames, fps", SLOWFAST)
def test_slowfast_training_clips(slowfast, frames, fps):
    name = f"train_f{frames}x2_fps{fps}"
    for length, expected in zip(slowfast["lengths"].tolist(), slowfast[name], strict=True):
        indices = samplers.sample_slowfast(length, frames, rng=LegacyPython(length), fps=fps)
        assert_same_inside_the_video(indices[0], expected, length)


@pytest.mark.parametrize("frames, fps", SLOWFAST)
def test_slowfast_ten_test_clips(slowfast, frames, fps):
    name = f"test_f{frames}x2_fps{fps}"
    for length, expected in zip(slowfast["lengths"].tolist(), slowfast[name], strict=True):
        indices = samplers.sample_slowfast(length, frames, 10, fps=fps)
        assert_same_inside_the_video(indices, expected, length)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clips", [1, 3])
def test_indices_stay_inside_every_video(name, clips):
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        for frames in (1, 8, 33):
            indices = samplers.get_sampler(name)(length, frames, clips, rng=rng, fps=29.97)
            assert indices.shape == (clips, frames) and indices.dtype == np.int64
            assert indices.min() >= 0 and indices.max() < length


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_alone_decides(name):
    sampler = samplers.get_sampler(name)

    def draw(seed):
        rng = np.random.default_rng(seed)
        return [sampler(300, 8, 2, rng=rng, fps=25.0).tolist() for _ in range(3)]

    assert draw(1) == draw(1) != draw(2)
    assert len({str(clips) for clips in draw(1)}) == 3


@pytest.mark.parametrize("name", NAMES)
def test_without_a_generator_nothing_is_random(name):
    sampler = samplers.get_sampler(name)
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    assert np.array_equal(sampler(300, 8, 2, fps=25.0), sampler(300, 8, 2, fps=25.0))
    assert np.array_equal(np.random.get_state()[1], state)


def test_segments_are_each_seen_once_and_in_order():
    rng = np.random.default_rng(0)
    for length in (8, 9, 80, 83):
        indices = samplers.sample_segment(length, 8, rng=rng)[0]
        assert (indices // (length // 8)).tolist() == list(range(8))


def test_short_videos_keep_the_order_of_time():
    rng = np.random.default_rng(0)
    for name in ("segment", "linspace", "slowfast"):
        indices = samplers.get_sampler(name)(5, 16, rng=rng)[0]
        assert (np.diff(indices) >= 0).all() and indices[0] == 0 and indices[-1] == 4


def test_linspace_draws_its_window_and_without_one_its_frames():
    windows = [
        samplers.sample_linspace(300, 8, window=64, rng=np.random.default_rng(seed))[0]
        for seed in range(20)
    ]
    assert all(window[-1] - window[0] in (63, 64) for window in windows)
    assert len({int(window[0]) for window in windows}) > 10
    assert samplers.sample_linspace(300, 8, window=64)[0].tolist() == [
        0, 9, 18, 27, 36, 45, 54, 63
    ]  # fmt: skip
    assert np.array_equal(
        samplers.sample_linspace(300, 8, rng=np.random.default_rng(0)),
        samplers.sample_segment(300, 8, rng=np.random.default_rng(0)),
    )


def test_slowfast_spans_the_same_time_at_any_frame_rate():
    for fps in (12.5, 25.0, 60.0):
        clip = samplers.sample_slowfast(3000, 32, fps=fps)[0]
        assert (clip[-1] - clip[0] + 1) / fps == pytest.approx(64 / 30, abs=2 / fps)
    slow = samplers.sample_slowfast(3000, 32)
    assert np.array_equal(samplers.sample_slowfast(3000, 32, fps=30), slow)
    assert np.array_equal(samplers.sample_slowfast(3000, 32, fps=0.0), slow)


def test_samplers_of_others_get_what_they_take(monkeypatch):
    monkeypatch.setattr(samplers, "_SAMPLERS", dict(samplers._SAMPLERS))

    def first(length, num_frames, num_clips=1):
        return np.zeros((num_clips, num_frames), np.int64)

    def everything(length, num_frames, num_clips=1, **options):
        return sorted(options)

    def timed(length, num_frames, num_clips=1, fps=None):
        return fps

    for sampler in (first, everything, timed):
        samplers.register_sampler(sampler.__name__, sampler)
    options = {"rng": np.random.default_rng(0), "fps": 25.0}
    assert samplers.get_sampler("first")(9, 3, 2, **options).shape == (2, 3)
    assert samplers.get_sampler("everything")(9, 3, 2, **options) == ["fps", "rng"]
    assert samplers.get_sampler("timed")(9, 3, 2, **options) == 25.0
