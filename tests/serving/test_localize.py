"""A server that localises actions: uploads are encoded anew before the application reads them."""

import os
import signal
import threading
import time
import types

import numpy as np
import pytest
from serving_support import error_of, left_in, post, serving, wait_until

from keras_video.applications import ActionLocalizer
from keras_video.data import (
    VideoPreprocessor,
    open_video,
    read_audio,
    render_motion_clip,
    write_match_videos,
    write_video,
)
from keras_video.localization import Detection
from keras_video.models import BMN, TSM, ActionLSTM
from keras_video.serving import Settings, create_app
from keras_video.testing import draw_weights


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matches")
    write_match_videos(folder, 3, duration=14.0, size=48)
    return sorted((folder / "videos").glob("*.mp4"))[0]


class Listener:
    """In place of an application: notes what it is given, and may be held up."""

    labels = ("goal", "corner")
    uses_sound = True
    extractor = types.SimpleNamespace(
        preprocessor=VideoPreprocessor(4, short_side=32, crop_size=32)
    )

    def __init__(self):
        self.seen, self.go_ahead, self.fails = [], threading.Event(), False
        self.go_ahead.set()

    def localize_tracks(self):
        """Tells the server that this localises; it gives files to `__call__`."""

    def __call__(self, path, name):
        with open_video(path) as video:
            frames = video.get_frames(range(len(video)))
            self.seen.append((frames, video.fps, read_audio(path)))
        assert self.go_ahead.wait(30)
        if self.fails:
            raise RuntimeError("a secret")
        return types.SimpleNamespace(detections=(Detection(1.5, 4.0, 0.75, "corner"),))


@pytest.fixture(scope="module")
def listener():
    return Listener()


@pytest.fixture(scope="module")
def app(listener, tmp_path_factory):
    settings = Settings(
        max_localize_queue=1, max_seconds=60, temp_dir=tmp_path_factory.mktemp("uploads")
    )
    return create_app(listener, settings, "match")


@pytest.fixture(scope="module")
def client(app):
    with serving(app) as client:
        yield client


def localize(client, path_or_bytes):
    return post(client, path_or_bytes, "/v1/localize")


def test_actions_are_answered_and_the_application_reads_a_file_of_our_own(
    client, app, listener, video
):
    response = localize(client, video)
    answer = response.json()
    assert list(answer) == ["id", "model", "video", "actions", "timings"]
    assert answer["actions"] == [
        {"start": 1.5, "end": 4.0, "label": "corner", "class_id": 1, "score": 0.75}
    ]
    assert set(answer["timings"]) == {"decode", "queue", "network", "total"}
    with open_video(video) as original:
        facts = answer["video"]
        assert facts["frames"] == len(original) and (facts["width"], facts["height"]) == (48, 48)
        resized = original.get_frames(range(len(original)), size=(32, 32))
        frames, fps, sound = listener.seen[-1]
        assert fps == original.fps and frames.shape == resized.shape
    assert np.abs(frames.astype(int) - resized).mean() < 4
    heard = read_audio(video)
    length = min(len(heard), len(sound))
    assert abs(len(heard) - len(sound)) < 0.2 * 16000
    assert np.corrcoef(heard[:length], sound[:length])[0, 1] > 0.95
    assert left_in(app) == []


def test_frames_at_odd_times_are_laid_at_even_ones_and_silence_is_sound(client, listener, tmp_path):
    write_video(tmp_path / "fast.mp4", render_motion_clip("moving left", 10**6, 60, 32), 60)
    assert localize(client, tmp_path / "fast.mp4").status_code == 200
    frames, fps, sound = listener.seen[-1]
    assert fps == 30 and len(frames) == 30
    assert len(sound) >= 15_000 and np.abs(sound).max() < 1e-3


def test_the_model_says_what_it_does(client, video):
    facts = client.get("/v1/model").json()
    assert facts["task"] == "localize" and facts["labels"] == ["goal", "corner"]
    assert facts["window_seconds"] is None
    assert error_of(post(client, video)) == (404, "other_task")


def test_bad_videos_are_refused_before_the_application_sees_them(client, app, listener, video):
    seen = len(listener.seen)
    whole = video.read_bytes()
    assert error_of(localize(client, b"text" * 100)) == (415, "not_a_video")
    assert error_of(localize(client, b"")) == (400, "empty")
    assert error_of(localize(client, whole[: len(whole) // 2]))[0] == 422
    assert len(listener.seen) == seen and left_in(app) == []


def test_one_at_a_time_and_the_rest_waits_or_comes_back_later(client, app, listener, video):
    listener.go_ahead.clear()
    seen, answers = len(listener.seen), []
    threads = [
        threading.Thread(target=lambda: answers.append(localize(client, video))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: app.state.load.in_flight == 2 and len(listener.seen) == seen + 1)
    assert error_of(localize(client, video)) == (503, "busy")
    time.sleep(0.2)
    assert len(listener.seen) == seen + 1
    listener.go_ahead.set()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_failing_application_is_an_error_of_the_server(client, app, listener, video):
    listener.fails = True
    response = localize(client, video)
    listener.fails = False
    assert error_of(response) == (500, "internal") and "secret" not in response.text
    assert localize(client, video).status_code == 200 and left_in(app) == []


def test_an_encoder_that_is_killed_costs_one_request(client, app, listener, tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (20, 192, 192, 3), "uint8")
    path = tmp_path / "noise.mp4"
    write_video(path, (frames[i % 20] for i in range(200)), 25, options={"preset": "ultrafast"})
    answers = []
    thread = threading.Thread(target=lambda: answers.append(localize(client, path)))
    (pid,) = app.state.service.pool.pids

    def is_in_the_middle():
        """In slices, so that it is not over before we look."""
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.005)
        os.kill(pid, signal.SIGSTOP)
        return any(name.startswith(".") for name in left_in(app))

    thread.start()
    wait_until(is_in_the_middle)
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert error_of(answers[0]) == (422, "decoder_crashed")
    wait_until(lambda: left_in(app) == [])
    assert localize(client, path).status_code == 200


def test_a_real_application_finds_the_same_as_in_the_original(video):
    extractor = TSM(num_classes=3, num_frames=4, depth=18, width=8)
    extractor.preprocessor = VideoPreprocessor(4, short_side=48, crop_size=48)
    proposer = BMN(64, 40, 20, hidden_dim=8, proposal_dim=4, segment_dim=4, map_dim=4)
    classifier = ActionLSTM(3, {"image": 64}, embedding_dim=8, lstm_dim=4, hidden_dims=(8,))
    for model in (extractor, proposer, classifier):
        draw_weights(model)
    classifier.labels = ["background", "goal", "corner"]
    classifier.get_layer("classes").bias.assign([-1.0, 0.0, 0.2])
    open_thresholds = {"proposal_threshold": 0.0, "class_threshold": 0.0, "iou_threshold": 0.0}
    localizer = ActionLocalizer(extractor, proposer, classifier, **open_thresholds)
    expected = localizer(video).detections
    with serving(create_app(localizer, Settings(), "match")) as client:
        found = localize(client, video).json()["actions"]
    assert len(found) == len(expected) > 0
    for got, wanted in zip(found, expected, strict=True):
        assert got["label"] == wanted.label
        assert (got["start"], got["end"]) == pytest.approx((wanted.start, wanted.end), abs=0.5)
        assert got["score"] == pytest.approx(wanted.score, abs=0.1)
