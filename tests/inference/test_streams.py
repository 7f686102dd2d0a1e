"""Streams that may never end: window by window, and frame by frame."""

import itertools
import tracemalloc
import types

import numpy as np
import pytest

from keras_video.data import VideoPipeline, render_motion_clip
from keras_video.export import export_model
from keras_video.inference import Predictor, stream_windows
from keras_video.models import TSM

PIPELINE = VideoPipeline(num_frames=8, short_side=64, crop_size=64)


def endless(size=96):
    """Frames of one grey level each, and how many were taken."""
    taken = types.SimpleNamespace(count=0)

    def frames():
        for number in itertools.count():
            taken.count += 1
            yield np.full((size, size + 10, 3), number % 251, "uint8")

    return frames(), taken


def greys(views):
    return views[..., 0, 0, 0]


def test_a_window_comes_as_soon_as_its_last_frame():
    frames, taken = endless()
    windows = stream_windows(PIPELINE, frames, fps=10, window_seconds=2, hop_seconds=1.5)
    for start, window in zip((0, 15, 30), windows, strict=False):
        assert (window.start, window.end) == (start / 10, start / 10 + 2)
        assert taken.count == start + 20
        expected = PIPELINE.frame_indices(20) + start
        np.testing.assert_array_equal(greys(window.views), expected)


def test_windows_may_lie_apart():
    frames, taken = endless()
    windows = stream_windows(PIPELINE, frames, fps=10, window_seconds=1, hop_seconds=3)
    starts = [window.start for window in itertools.islice(windows, 3)]
    assert starts == [0, 3, 6]
    assert taken.count == 70


def test_only_what_is_needed_is_resized_and_kept(monkeypatch):
    resized = []
    prepare = VideoPipeline.prepare_frame

    def counting(self, frame, crop=True):
        resized.append(int(frame[0, 0, 0]))
        return prepare(self, frame, crop)

    monkeypatch.setattr(VideoPipeline, "prepare_frame", counting)
    frames, taken = endless()
    windows = stream_windows(PIPELINE, frames, fps=25, window_seconds=4, hop_seconds=2)
    tracemalloc.start()
    try:
        for _ in itertools.islice(windows, 100):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken.count == 100 + 99 * 50
    assert len(resized) <= 8 * 100
    # The resized frames that were looked at have 10 MB, those of a window 0.1 MB.
    assert peak < 1.5e6


def test_a_frame_that_does_not_fit_is_named():
    good = np.zeros((96, 96, 3), "uint8")
    for bad in (good[:90], good[..., 0], good.astype("float32"), np.zeros((96, 96, 4), "uint8")):
        windows = stream_windows(PIPELINE, [good, good, bad], fps=10, window_seconds=1)
        with pytest.raises(ValueError, match="Frame 2 of the stream must be RGB.*96, 96, 3.*Recei"):
            list(windows)


def test_a_stream_without_a_window_says_so():
    frames, _ = endless()
    with pytest.raises(ValueError, match="first window of 20 frames. Received: 19 frames"):
        list(stream_windows(PIPELINE, itertools.islice(frames, 19), fps=10, window_seconds=2))
    for fps in (0, -1, "25", None, float("nan")):
        with pytest.raises(ValueError, match="`fps` is a number"):
            stream_windows(PIPELINE, [], fps)


# === Predictor ===


@pytest.fixture(scope="module")
def online_model():
    """The weights of `tsm_tiny_motion`, which were trained for shifts both ways."""
    trained = TSM.from_preset("tsm_tiny_motion")
    model = TSM.from_config({**trained.get_config(), "shift_direction": "past"})
    model.set_weights(trained.get_weights())
    model.preprocessor, model.labels = trained.preprocessor, trained.labels
    return model


@pytest.fixture(scope="module")
def online(online_model):
    return Predictor(online_model)


def test_windows_of_a_stream_have_names(online):
    clip = render_motion_clip("zooming in", 3, 50, 96)
    predictor = Predictor("tsm_tiny_motion")
    (window,) = predictor.classify_stream(iter(clip), fps=25, window_seconds=2, top_k=1)
    assert window.predictions[0]["label"] == "zooming in"
    assert window.predictions == predictor.classify(clip, top_k=1)


def test_frame_by_frame_ends_with_the_answer_for_the_clip(online):
    clip = render_motion_clip("moving up", 5, 8, 64)
    answers = list(online.classify_online(clip, top_k=3))
    assert [answer.frame for answer in answers] == list(range(8))
    expected = online.classify(clip, top_k=3)
    assert [each["label"] for each in answers[-1].predictions] == [
        each["label"] for each in expected
    ]
    scores = [each["score"] for each in expected]
    np.testing.assert_allclose(np.sort(answers[-1].scores)[:-4:-1], scores, atol=1e-5)
    assert answers[0].to_json()["predictions"] != answers[-1].to_json()["predictions"]


def test_an_endless_stream_is_answered_frame_by_frame(online):
    frames, taken = endless(64)
    answers = online.classify_online(frames, every=3, average=2)
    assert [answer.frame for answer in itertools.islice(answers, 5)] == [0, 3, 6, 9, 12]
    assert taken.count == 13


def test_old_frames_are_forgotten_in_the_average(online):
    """Its step model sees eight blocks back, its average of one no further."""
    black, clip = np.zeros((20, 64, 64, 3), "uint8"), render_motion_clip("moving up", 5, 30, 64)
    after_black = list(online.classify_online(np.concatenate([black, clip]), average=1))
    alone = list(online.classify_online(clip, average=1))
    np.testing.assert_allclose(after_black[-1].scores, alone[-1].scores, atol=1e-5)
    assert np.abs(after_black[20].scores - alone[0].scores).max() > 1e-4


def test_a_step_model_alone_is_enough(online, online_model):
    clip = render_motion_clip("moving up", 5, 8, 64)
    step = Predictor(online_model.step_model(64))
    for ours, theirs in zip(step.classify_online(clip), online.classify_online(clip), strict=True):
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    with pytest.raises(ValueError, match="Only models with logits of classes"):
        step.classify(clip)


@pytest.mark.slow
def test_an_exported_step_model_runs_in_other_runtimes(online, online_model, tmp_path):
    clip = render_motion_clip("moving up", 5, 6, 64)
    expected = [answer.scores for answer in online.classify_online(clip, average=4)]
    for format in ("onnx", "litert"):
        export_model(online_model.step_model(64), tmp_path / format, format)
    for format, runtime in (("onnx", "onnxruntime"), ("onnx", "openvino"), ("litert", "litert")):
        exported = Predictor(tmp_path / format, runtime)
        assert exported.states["state_0"] == "next_state_0"
        answers = list(exported.classify_online(clip, average=4))
        assert answers[0].predictions[0]["label"] in online.labels
        np.testing.assert_allclose([each.scores for each in answers], expected, atol=1e-4)


def test_what_cannot_run_on_streams_says_so(online):
    predictor = Predictor("tsm_tiny_motion")
    with pytest.raises(ValueError, match="Received: shift_direction='both'"):
        predictor.classify_online([])
    for arguments in ({"every": 0}, {"average": 0}, {"top_k": 0}):
        with pytest.raises(ValueError, match="Received: "):
            online.classify_online([], **arguments)
    with pytest.raises(ValueError, match="Frame 1 of the stream"):
        list(online.classify_online([np.zeros((64, 64, 3), "uint8"), np.zeros((64, 64))]))
