"""Long videos window by window: as each window alone, decoded once, in little memory."""

import threading
import tracemalloc

import numpy as np
import pytest

from keras_video.data import (
    VideoDecodeError,
    VideoPipeline,
    VideoReader,
    decoders,
    open_video,
    render_motion_clip,
    write_video,
)
from keras_video.features.decoded_frames_reader import DecodedFramesReader
from keras_video.inference import Predictor, WindowViews, window_views
from keras_video.inference.sliding_windows import classify_windows
from keras_video.inference.window_plan import plan_windows

SMALL = {"num_frames": 4, "short_side": 32, "crop_size": 32}
FPS = 10


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """5.3 seconds: a shape moves left, then right."""
    path = tmp_path_factory.mktemp("videos") / "left_right.mp4"
    parts = [("moving left", 27), ("moving right", 26)]
    clips = [render_motion_clip(label, 3, frames, 96)[:frames] for label, frames in parts]
    write_video(path, np.concatenate(clips), fps=FPS)
    return path


def all_frames(video):
    with open_video(video) as reader:
        return reader.get_frames(range(len(reader)))


@pytest.mark.parametrize(
    "sampling",
    [
        {"sampling": "segment"},
        {"sampling": "slowfast:2", "num_clips": 3, "crop": "three"},
        {"sampling": "uniform", "num_frames": 30, "short_side": 40, "crop": "ten"},
        {"sampling": "dense", "num_clips": 2, "interpolation": "opencv_linear"},
    ],
)
def test_a_window_is_judged_as_a_video_of_its_frames(video, sampling):
    pipeline = VideoPipeline(**{**SMALL, **sampling})
    frames = all_frames(video)
    windows = list(window_views(pipeline, video, window_seconds=2, hop_seconds=1.3))
    spans = [(round(window.start, 3), round(window.end, 3)) for window in windows]
    assert spans == [(0, 2), (1.3, 3.3), (2.6, 4.6), (3.3, 5.3)]
    for window, first in zip(windows, (0, 13, 26, 33), strict=True):
        expected = pipeline(DecodedFramesReader(frames[first : first + 20], FPS))
        np.testing.assert_array_equal(window.views, expected)
    of_array = window_views(pipeline, frames, 2, 1.3, fps=FPS)
    for window, other in zip(windows, of_array, strict=True):
        np.testing.assert_array_equal(window.views, other.views)


def test_a_video_not_longer_than_a_window_is_one(video):
    pipeline = VideoPipeline(**SMALL)
    for seconds in (5.3, 10, 1e6):
        (window,) = window_views(pipeline, video, seconds)
        assert (window.start, window.end) == (0, pytest.approx(5.3))
        np.testing.assert_array_equal(window.views, pipeline(video))


def test_every_moment_has_a_window_that_shows_something():
    times = np.array([5, 5.5, 6, 9, 9.5])
    windows = plan_windows(times, 5.0, 1.0, 0.5)
    assert [window.start for window in windows] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert [(window.first, window.stop) for window in windows] == [
        (0, 2), (1, 3), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (3, 4), (3, 5),
    ]  # fmt: skip
    # Apart: what lies between is not looked at, but for the end.
    spans = [(window.start, window.end) for window in plan_windows(times, 5.0, 1.0, 3.0)]
    assert spans == [(0, 1), (3, 4), (4, 5)]


class RenderedReader(VideoReader):
    """Any number of frames, each of one grey level, made when they are asked for."""

    decoder = "rendered"
    asked: list[int] = []

    def __init__(self, source, **options):
        super().__init__("rendered", np.arange(int(source)) / 25, 25.0)

    def close(self):
        self._closed = True

    def _read(self, wanted, transform):
        raise AssertionError("windows visit frames")

    def _visit(self, wanted, visit, size):
        for number in wanted:
            self.asked.append(number)
            visit(number, np.full((64, 64, 3), number % 251, "uint8"))


@pytest.fixture
def rendered(monkeypatch):
    monkeypatch.setitem(decoders._DECODERS, "rendered", RenderedReader)
    RenderedReader.asked = []
    return VideoPipeline(num_frames=8, short_side=64, crop_size=64, decoder="rendered")


def peak_memory(pipeline, num_frames):
    tracemalloc.start()
    try:
        count = sum(1 for _ in window_views(pipeline, str(num_frames), 10))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_length(rendered):
    (few, short), (many, long) = (peak_memory(rendered, frames) for frames in (5_000, 50_000))
    assert (few, many) == (39, 399)
    # 50,000 time stamps are 0.4 MB; all frames that are looked at would be 35 MB.
    assert long < short + 3e6


def test_frames_are_decoded_once_in_order_and_not_far_ahead(rendered):
    windows = window_views(rendered, "5000", 10)
    for _ in range(3):
        next(windows)
    assert max(RenderedReader.asked) < 250 + 6 * 125
    list(windows)
    assert RenderedReader.asked == sorted(set(RenderedReader.asked))
    assert len(RenderedReader.asked) <= 8 * 39


def test_the_thread_ends_with_the_iterator(rendered):
    before = threading.active_count()
    windows = window_views(rendered, "5000", 10)
    next(windows)
    assert threading.active_count() == before + 1
    windows.close()
    assert threading.active_count() == before


def test_nonsense_is_refused(video):
    pipeline = VideoPipeline(**SMALL)
    for seconds in ((0,), (-1,), ("2",), (None,), (float("nan"),), (2, 0), (2, True)):
        with pytest.raises(ValueError, match="must be a number of seconds above 0. Received"):
            window_views(pipeline, video, *seconds)
    with pytest.raises(ValueError, match="further apart.*Received: one every 1e-09 seconds of 5.3"):
        next(window_views(pipeline, video, 1, 1e-9))
    with pytest.raises(ValueError, match="Windows and streams need a `VideoPipeline`"):
        window_views(lambda video: video, video)
    with pytest.raises(ValueError, match="`fps` is a number .*Received: fps=0"):
        window_views(pipeline, np.zeros((3, 8, 8, 3), "uint8"), fps=0)
    with open_video(video) as reader, pytest.raises(ValueError, match="give the video itself"):
        window_views(pipeline, reader)
    for source in ("missing.mp4", b"no video"):
        with pytest.raises(VideoDecodeError):
            next(window_views(pipeline, source))


# === Predictor ===


@pytest.fixture(scope="module")
def predictor():
    return Predictor("tsm_tiny_motion")


def test_windows_tell_what_happens_when(predictor, video):
    windows = list(predictor.classify_windows(video, 2.5, 0.9, top_k=2, batch_size=3))
    labels = [window.predictions[0]["label"] for window in windows]
    assert [round(window.start, 3) for window in windows] == [0, 0.9, 1.8, 2.7, 2.8]
    assert (labels[0], labels[-1]) == ("moving left", "moving right")
    frames = all_frames(video)
    expected = predictor.classify(frames[9:34], top_k=2)
    assert windows[1].predictions[0]["label"] == expected[0]["label"]
    np.testing.assert_allclose(
        [each["score"] for each in windows[1].predictions],
        [each["score"] for each in expected],
        atol=1e-5,
    )
    assert windows[1].scores.sum() == pytest.approx(1, abs=1e-5)
    assert windows[1].to_json() == {
        "start": 0.9,
        "end": 3.4,
        "predictions": windows[1].predictions,
    }


@pytest.mark.parametrize(("batch_size", "batches"), [(4, [4, 4, 2]), (3, [2] * 5), (1, [1] * 10)])
def test_views_of_several_windows_share_a_batch(batch_size, batches):
    windows = [WindowViews(n, n + 1, np.full((2, 1, 4, 4, 3), n, "uint8")) for n in range(5)]
    seen = []

    def logits(views):
        seen.append(len(views))
        return views[:, 0, 0, 0, :2] * [1.0, -1.0]

    found = list(classify_windows(windows, logits, batch_size=batch_size))
    assert seen == batches
    assert [(window.start, window.end) for window in found] == [(n, n + 1) for n in range(5)]
    expected = [1 / (1 + np.exp(-2 * n)) for n in range(5)]
    np.testing.assert_allclose([window.scores[0] for window in found], expected)


def test_the_predictor_refuses_nonsense(predictor, video):
    for arguments in ({"top_k": 0}, {"batch_size": 0}, {"window_seconds": 0}):
        with pytest.raises(ValueError, match="Received: "):
            predictor.classify_windows(video, **arguments)
