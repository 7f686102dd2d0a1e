"""What the stages of an ActionLocalizer are trained on follows from the annotated actions."""

import numpy as np
import pytest

from keras_video.applications.localizer_data import (
    Segments,
    Windows,
    choose_segments,
    label_seconds,
)
from keras_video.applications.video_tracks import VideoTracks, seconds_of, spectrum_of
from keras_video.data import NoAudioTrackError, log_mel
from keras_video.localization import Action, AnnotatedVideo, make_bmn_labels, temporal_iou
from keras_video.localization.bmn_labels import BMNLabels

LABELS = ["corner", "goal"]


def tracks(seconds=30, fps=5, seed=0):
    rng = np.random.default_rng(seed)
    steps = seconds * fps
    image = rng.normal(size=(steps, 3)).astype("float32")
    spectrum = rng.normal(size=(steps, 640)).astype("float32")
    return VideoTracks(image, spectrum, None, fps, float(seconds))


@pytest.fixture
def video():
    actions = (Action(2.0, 6.0, "goal"), Action(9.0, 13.0, "corner"), Action(27.0, 30.0, "goal"))
    return AnnotatedVideo("a.mp4", 30.0, "train", actions)


def test_windows_show_steps_and_the_actions_that_lie_within(video):
    track = tracks()
    empty = AnnotatedVideo("b.mp4", 4.0, "train")
    windows = Windows([track, tracks(4)], [video, empty], window=50, stride=25)
    assert len(windows) == len(windows.segments) == 5 + 1
    np.testing.assert_array_equal(windows[1], track.steps[25:75])
    # From 5 to 15 s: a quarter of the first action, which does not count, and all of the second.
    np.testing.assert_allclose(windows.segments[1], [[0.4, 0.8]])
    # The last one ends with the video; so does its action.
    np.testing.assert_allclose(windows.segments[4][0], [0.7, 1.0])
    assert np.isnan(windows.segments[5]).all() and not windows[5][20:].any()


def test_labels_are_made_of_the_actions_and_drawn_anew(video):
    windows = Windows([tracks()], [video], window=50, stride=25)
    transform = BMNLabels(50, 20)
    rng = np.random.default_rng(1)
    _, labels = transform.call_with_label(windows[1], windows.segments[1], rng)
    expected = make_bmn_labels([[0.4, 0.8]], 50, 20)
    for name in ("starts", "ends"):
        np.testing.assert_array_equal(labels[name], expected[name])
    np.testing.assert_array_equal(labels["confidence"][..., 0], expected["confidence"][..., 0])
    _, again = transform.call_with_label(windows[1], windows.segments[1], rng)
    assert (labels["confidence"][..., 1] != again["confidence"][..., 1]).all()
    assert labels["confidence"][..., 1].std() > 0.2


def test_segments_have_the_class_of_the_action_they_overlap_most(video):
    proposed = np.array([[2.5, 6.0], [1.0, 30.0], [14.0, 20.0]])
    places = choose_segments([tracks()], [video], [proposed], LABELS, seed=0)
    times = np.array([[a.start, a.end] for a in video.actions])
    classes = np.array([LABELS.index(a.label) + 1 for a in video.actions])
    for _, start, end, label, iou in places:
        overlaps = temporal_iou([[start, end]], times)[0]
        assert iou == pytest.approx(overlaps.max())
        assert label == (classes[overlaps.argmax()] if overlaps.max() >= 0.3 else 0)
        assert 0 <= start < end <= 30
    chosen = {(start, end) for _, start, end, _, _ in places}
    assert {(2.5, 6.0), (14.0, 20.0), (2.0, 6.0)} <= chosen
    labels = [place[3] for place in places]
    assert labels.count(0) >= 3 and labels.count(0) <= 3 * (len(labels) - labels.count(0))
    assert places == choose_segments([tracks()], [video], [proposed], LABELS, seed=0)


def test_segments_become_batches_with_masks(video):
    track = tracks()
    places = [(0, 2.0, 6.0, 2, 1.0), (0, 26.0, 30.0, 0, 0.1)]
    segments = Segments([track], places, {"image": 30, "sound": 25})
    inputs = segments.inputs()
    assert len(inputs["image"]) == 2
    assert inputs["image_mask"][0].sum() == 20
    np.testing.assert_array_equal(inputs["image"][1][:20], track.image[130:150])
    np.testing.assert_array_equal(inputs["sound"][0][:20], track.spectrum[10:30])
    assert not inputs["image"][0][20:].any()
    assert segments.labels["classes"].tolist() == [2, 0]
    np.testing.assert_allclose(segments.labels["iou"], [[1.0], [0.1]])


def test_a_second_of_sound_has_the_class_of_what_happens_most_of_it(video):
    examples, classes = label_seconds([tracks()], [video], LABELS)
    assert examples.shape == (30, 50, 64)
    expected = np.zeros(30, int)
    expected[2:6] = expected[27:30] = 2
    expected[9:13] = 1
    assert classes.tolist() == expected.tolist()
    empty = AnnotatedVideo("b.mp4", 4.0, "train")
    assert not label_seconds([tracks(4)], [empty], LABELS)[1].any()


def test_steps_of_a_spectrum_lie_beside_those_of_the_pictures(monkeypatch):
    sound = np.sin(np.arange(16000 * 3) * 0.5).astype("float32") * 0.5
    monkeypatch.setattr("keras_video.data.read_audio", lambda source: sound)
    spectrum = spectrum_of("a.mp4", 5, 20)
    assert spectrum.shape == (20, 640)
    # All but the last window of the sound, which reaches into the silence.
    rows = spectrum.reshape(-1, 64)
    np.testing.assert_allclose(rows[:148], log_mel(sound)[:148], atol=1e-5)
    np.testing.assert_allclose(rows[152:], np.log(0.01), atol=1e-5)
    seconds = seconds_of(spectrum[:12], 5)
    assert seconds.shape == (3, 50, 64)
    np.testing.assert_array_equal(seconds[2][20:30], seconds[2][30:40])
    for fps in (7, 0, 60):
        with pytest.raises(ValueError, match=f"must divide 50.*Received: fps={fps}"):
            spectrum_of("a.mp4", fps, 20)


def test_nothing_but_a_missing_track_is_silence(monkeypatch):
    def missing(source):
        raise NoAudioTrackError(source, "it has no sound track")

    monkeypatch.setattr("keras_video.data.read_audio", missing)
    with pytest.warns(UserWarning, match=r"a\.mp4 has no sound track"):
        assert np.ptp(spectrum_of("a.mp4", 10, 20)) == 0
