"""ActionLocalizer finds actions in long videos: several models, one timeline."""

import json

import numpy as np
import pytest

from keras_video.applications import ActionLocalizer, NoSoundWarning
from keras_video.applications.timeline import write_timelines
from keras_video.data import VideoDecodeError, VideoPreprocessor, write_match_videos, write_video
from keras_video.localization import Action
from keras_video.models import BMN, TSM, ActionLSTM, VGGish
from keras_video.presets import PresetError
from keras_video.testing import draw_weights

LABELS = ["background", "goal", "corner"]


@pytest.fixture(scope="module")
def extractor():
    model = TSM(num_classes=3, num_frames=4, depth=18, width=8)
    draw_weights(model)
    model.preprocessor = VideoPreprocessor(4, short_side=32, crop_size=32)
    return model


def models(extractor, sound=True, network=True, steps=40):
    proposer = BMN(
        64 + 640 * sound, steps, 20, hidden_dim=8, proposal_dim=4, segment_dim=4, map_dim=4
    )
    features = {"image": 64} | ({"sound": 16 if network else 640} if sound else {})
    classifier = ActionLSTM(3, features, embedding_dim=8, lstm_dim=4, hidden_dims=(8,))
    hearing = None
    if sound and network:
        hearing = VGGish(3, filters=(2, 2, 2, 2), hidden_dims=(8,), embedding_dim=16)
        draw_weights(hearing)
    for model in (proposer, classifier):
        draw_weights(model)
    classifier.labels = LABELS
    # It must not call everything background.
    classifier.get_layer("classes").bias.assign([-1.0, 0.0, 0.2])
    return extractor, proposer, classifier, hearing


# Drawn weights are never sure of anything.
OPEN = {"proposal_threshold": 0.0, "class_threshold": 0.0, "iou_threshold": 0.0}


@pytest.fixture(scope="module")
def localizer(extractor):
    return ActionLocalizer(*models(extractor), **OPEN)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matches")
    write_match_videos(folder, 3, duration=14.0, size=32)
    return sorted((folder / "videos").glob("*.mp4"))


def test_a_timeline_has_actions_in_order_of_time_that_do_not_overlap(localizer, videos):
    timeline = localizer(videos[0])
    assert timeline.video == str(videos[0]) and timeline.duration == pytest.approx(14, abs=0.2)
    found = timeline.detections
    assert found and {d.label for d in found} <= {"goal", "corner"}
    times = [time for d in found for time in (d.start, d.end)]
    assert times == sorted(times) and 0 <= times[0] and times[-1] <= timeline.duration
    scores = [p.score for p in timeline.proposals]
    assert scores == sorted(scores, reverse=True) and len(scores) >= len(found)
    for d, of_class, iou in zip(found, timeline.class_scores, timeline.iou_scores, strict=True):
        assert d.score == pytest.approx(of_class * iou) and 0 < d.score < 1


def test_results_have_the_reference_s_schema_in_seconds(localizer, videos, tmp_path):
    timeline = localizer(videos[0], name="match")
    write_timelines(tmp_path / "new" / "result.json", [timeline])
    (content,) = json.loads((tmp_path / "new" / "result.json").read_text())
    assert content["video_name"] == "match" and content["fps"] == 5
    action, detection = content["action_results"][0], timeline.detections[0]
    assert action["start_time"] == pytest.approx(detection.start, abs=1e-3)
    assert action["label_name"] == detection.label == LABELS[action["label_id"]]
    assert set(action) == {
        "start_time", "end_time", "label_id", "label_name", "classify_score", "iou_score",
    }  # fmt: skip
    proposal = content["bmn_results"][0]
    assert proposal["end"] == pytest.approx(timeline.proposals[0].end * 5, abs=1e-3)


def test_stages_may_be_done_one_by_one(localizer, videos):
    tracks = localizer.read(videos[1])
    assert tracks.image.shape == (70, 64) and tracks.spectrum.shape == (70, 640)
    assert tracks.steps.shape == (70, 704) and tracks.sound.shape == (14, 16)
    part = tracks.segment(2.0, 4.5)
    assert part["image"].shape == (13, 64) and part["sound"].shape == (3, 16)
    np.testing.assert_array_equal(part["image"], tracks.image[10:23])
    assert localizer.localize_tracks(tracks, str(videos[1])) == localizer(videos[1])
    segments = np.array([[0.0, 1.0], [3.0, 9.0], [5.0, 5.1]])
    together = localizer.classify(tracks, segments)
    for row in range(3):
        alone = localizer.classify(tracks, segments[row : row + 1])
        for left, right in zip(together, alone, strict=True):
            np.testing.assert_allclose(left[row], right[0], atol=1e-5)
    np.testing.assert_allclose(together[0].sum(axis=1), 1)


def test_bytes_and_files_are_videos_too(localizer, videos):
    expected = localizer(videos[2], name="video")
    assert localizer(videos[2].read_bytes()) == expected
    with open(videos[2], "rb") as file:
        assert localizer(file) == expected


def test_a_video_without_sound_is_taken_as_silent(localizer, tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), "uint8")
    write_video(tmp_path / "silent.mp4", frames, 10)
    with pytest.warns(NoSoundWarning, match="silent.mp4 has no sound track"):
        tracks = localizer.read(tmp_path / "silent.mp4")
    np.testing.assert_allclose(tracks.spectrum, np.log(0.01), atol=1e-5)


@pytest.mark.parametrize("sound, network", [(True, True), (True, False), (False, False)])
def test_it_comes_back_as_it_was_saved(extractor, videos, tmp_path, sound, network):
    saved = ActionLocalizer(*models(extractor, sound, network), **OPEN, min_duration=0.6)
    saved.save_to_preset(tmp_path / "preset")
    assert (tmp_path / "preset" / "sound_network").is_dir() == network
    loaded = ActionLocalizer.from_preset(tmp_path / "preset")
    assert loaded.settings == saved.settings and loaded.labels == ["goal", "corner"]
    expected, actual = saved(videos[0]), loaded(videos[0])
    assert [d.label for d in actual.detections] == [d.label for d in expected.detections]
    scores = [d.score for d in expected.detections]
    assert [d.score for d in actual.detections] == pytest.approx(scores, abs=1e-5)
    stricter = ActionLocalizer.from_preset(tmp_path / "preset", class_threshold=0.99)
    assert not stricter(videos[0]).detections


def test_models_that_do_not_fit_together_are_refused(extractor):
    everything = models(extractor)
    without = models(extractor, sound=False)
    for parts, message in (
        ((*without[:2], *everything[2:]), "proposer 704 channels.*Received.*64 channels"),
        ((*everything[:3], None), "'sound': 640.*Received"),
        ((*without[:3], everything[3]), "no use for a network that hears"),
    ):
        with pytest.raises(ValueError, match=message):
            ActionLocalizer(*parts)
    for settings in ({"class_threshold": 1.5}, {"min_duration": -1}, {"fps": 7}):
        with pytest.raises(ValueError, match="Received"):
            ActionLocalizer(*everything, **settings)


def test_unreadable_videos_are_named(localizer, videos, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(VideoDecodeError, match=r"bad\.mp4"):
        localizer(tmp_path / "bad.mp4")
    first, second = localizer.localize_each([tmp_path / "bad.mp4", videos[0]], errors="return")
    assert isinstance(first, VideoDecodeError) and second.detections
    with pytest.raises(ValueError, match="Received: errors='ignore'"):
        next(localizer.localize_each([], errors="ignore"))


def test_the_published_one_is_known_and_says_why_it_cannot_be_had(hub):
    assert ActionLocalizer.list_presets() == ["football_action"]
    with pytest.raises(PresetError, match="train your own"):
        ActionLocalizer.from_preset("football_action")


def test_a_plot_is_drawn(localizer, videos, tmp_path):
    pytest.importorskip("matplotlib")
    localizer(videos[0]).save_plot(tmp_path / "timeline.png", [Action(1.0, 3.0, "offside")])
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
