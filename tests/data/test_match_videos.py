"""Rendered long videos: actions at the times that the list says, between calm stretches."""

import collections
import json

import numpy as np
import pytest

from keras_video.data import MATCH_CLASSES, open_video
from keras_video.data.match_videos import write_match_videos


@pytest.fixture(scope="module")
def match(tmp_path_factory):
    path = write_match_videos(
        tmp_path_factory.mktemp("match") / "new", num_videos=8, duration=40, fps=5, size=32
    )
    return path, json.loads(path.read_text("utf-8"))


def frames_of(match, number):
    path, content = match
    with open_video(path.parent / content["videos"][number]["video"]) as video:
        return video.get_frames(range(len(video))).astype("float32"), video.timestamps


def test_the_list_names_every_video_with_its_length(match):
    path, content = match
    assert content["actions_version"] == 1
    assert [video["video"] for video in content["videos"]] == [
        f"videos/{number:04d}.mp4" for number in range(8)
    ]
    for number, video in enumerate(content["videos"]):
        frames, times = frames_of(match, number)
        assert frames.shape == (200, 32, 32, 3)
        assert video["duration"] == 40 == pytest.approx(times[-1] - times[0] + 1 / 5)


def test_splits_are_two_thirds_a_sixth_and_a_sixth(match, tmp_path):
    splits = [video["split"] for video in match[1]["videos"]]
    assert splits == ["train"] * 6 + ["val", "test"]
    least = json.loads(write_match_videos(tmp_path, 3, duration=10, fps=2, size=16).read_text())
    assert [video["split"] for video in least["videos"]] == ["train", "val", "test"]


@pytest.mark.parametrize("duration, fps", [(40, 5), (10, 7), (61.5, 2)])
def test_actions_do_not_overlap_and_leave_half_of_the_time(tmp_path, duration, fps):
    path = write_match_videos(tmp_path, 5, duration, fps, size=16, seed=3, sound=False)
    for video in json.loads(path.read_text("utf-8"))["videos"]:
        times = [(action["start"], action["end"]) for action in video["actions"]]
        assert times, "no video is without an action"
        assert times[0][0] >= 0 and times[-1][1] <= video["duration"]
        lengths = [end - start for start, end in times]
        assert all(3 <= length <= 8 for length in lengths)
        assert sum(lengths) <= video["duration"] / 2
        gaps = [after[0] - before[1] for before, after in zip(times, times[1:], strict=False)]
        assert all(gap >= 2 - 1e-9 for gap in gaps)


def test_classes_are_equally_frequent(match):
    labels = [action["label"] for video in match[1]["videos"] for action in video["actions"]]
    counts = collections.Counter(labels)
    assert set(counts) == set(MATCH_CLASSES)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_something_crosses_the_picture_in_an_action_the_way_the_label_says(match):
    """A shape of a colour that is rare in the rest of the video, first on one side, then across."""
    for number, video in enumerate(match[1]["videos"]):
        frames, times = frames_of(match, number)
        calm = np.ones(len(times), bool)
        for action in video["actions"]:
            calm &= (times < action["start"]) | (times >= action["end"])
        usual = np.median(frames[calm], axis=0)
        unusual = np.abs(frames - usual).sum(axis=-1) > 120
        assert unusual[~calm].mean() > 2 * unusual[calm].mean()
        for action in video["actions"]:
            inside = (times >= action["start"]) & (times < action["end"])
            shape = unusual[inside]
            rows, columns = (
                [shape[part].sum(axis=(0, other)) for part in (slice(0, 4), slice(-4, None))]
                for other in (2, 1)
            )
            across = columns if action["label"] in ("moving left", "moving right") else rows
            first, last = (np.average(np.arange(32), weights=weights) for weights in across)
            if action["label"] == "moving right":
                assert last - first > 8
            else:
                assert first - last > 8


def test_a_seed_gives_the_same_files(match, tmp_path):
    def files(folder):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    arguments = {"num_videos": 3, "duration": 12, "fps": 5, "size": 16}
    first, again, other = (
        files(write_match_videos(tmp_path / name, seed=seed, **arguments).parent)
        for name, seed in (("first", 4), ("again", 4), ("other", 5))
    )
    assert first == again
    assert first["actions.json"] != other["actions.json"]
    assert first["videos/0000.mp4"] != other["videos/0000.mp4"]


def test_a_failure_leaves_no_list_and_no_half_video(tmp_path, monkeypatch):
    import keras_video.data.match_videos as module

    def broken(*arguments):
        yield np.zeros((16, 16, 3), "uint8")
        raise RuntimeError("the lamp broke")

    monkeypatch.setattr(module, "_film", broken)
    with pytest.raises(RuntimeError, match="lamp"):
        write_match_videos(tmp_path, 3, duration=10, fps=2, size=16)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_videos": 2},
        {"duration": 9.0},
        {"duration": float("nan")},
        {"fps": 0},
        {"fps": 12.5},
        {"size": 63},
        {"seed": -1},
    ],
)
def test_impossible_sets_are_refused(tmp_path, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value}"):
        write_match_videos(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()
