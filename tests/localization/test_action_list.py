"""Lists of annotated videos, in all forms."""

import json
import math

import pytest

from keras_video.localization import (
    Action,
    ActionListError,
    ActionListWarning,
    AnnotatedVideo,
    read_actions,
    write_actions,
)

FOOTBALL = {
    "fps": 5,
    "gts": [
        {
            "url": "EuroCup2016/one.mp4",
            "total_frames": 6128,
            "actions": [
                {"label_ids": [7], "label_names": ["界外球"], "start_id": 395, "end_id": 399},
                {"label_ids": [2, 1], "label_names": ["角球", "进球"], "start_id": 6, "end_id": 9},
            ],
        }
    ],
}


def own(actions=(), **changes):
    video = {"video": "a.mp4", "duration": 90.0, "split": "val", "actions": actions}
    return {"actions_version": 1, "videos": [{**video, **changes}]}


def written(tmp_path, content, name="actions.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def action(start, end, label="goal"):
    return {"label": label, "start": start, "end": end}


def test_what_is_written_is_read(tmp_path):
    videos = [
        AnnotatedVideo(
            "a.mp4", 90.0, "train", (Action(12.0, 17.5, "goal"), Action(0.1, 0.3, "角"))
        ),
        AnnotatedVideo("folder/b.mp4", None, "val", (Action(1.0, 200.0, "goal"),)),
        AnnotatedVideo("c.mp4", 1 / 3, "test"),
    ]
    write_actions(tmp_path / "new" / "actions.json", videos)
    assert read_actions(tmp_path / "new" / "actions.json") == videos
    assert read_actions(tmp_path / "new" / "actions.json", split="val") == videos[1:2]


def test_our_form_may_lack_duration_and_split(tmp_path):
    content = {"actions_version": 1, "videos": [{"video": "a.mp4", "actions": [action(1, 2)]}]}
    expected = AnnotatedVideo("a.mp4", None, "train", (Action(1.0, 2.0, "goal"),))
    assert read_actions(written(tmp_path, content)) == [expected]


def test_numbers_of_football_lists_are_seconds_and_double_labels_two_actions(tmp_path):
    (video,) = read_actions(written(tmp_path, FOOTBALL, "label_cls8_val.json"))
    assert (video.video, video.duration, video.split) == ("EuroCup2016/one.mp4", 6128.0, "val")
    assert video.actions == (
        Action(395.0, 399.0, "界外球"),
        Action(6.0, 9.0, "角球"),
        Action(6.0, 9.0, "进球"),
    )
    assert read_actions(written(tmp_path, FOOTBALL, "football.json"))[0].split == "train"


@pytest.mark.parametrize("official", [True, False])
def test_lists_of_activitynet_are_recognised(tmp_path, official):
    facts = {"subset": "validation", "annotations": [{"segment": [1.5, 9.0], "label": "run"}]}
    key = "duration" if official else "duration_second"
    content = {"one": {key: 20.0, **facts}}
    content = {"database": content, "version": "1.3"} if official else content
    expected = AnnotatedVideo("one", 20.0, "val", (Action(1.5, 9.0, "run"),))
    assert read_actions(written(tmp_path, content)) == [expected]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (action(5.0, 5.0), "ends at its start or before; correct"),
        (action(5.0, 4.0), "ends at its start or before.*start=5.0, end=4.0"),
        (action(math.nan, 4.0), "has times that are no numbers of seconds.*start=nan"),
        (action("1", 4.0), "has times that are no numbers of seconds.*start='1'"),
        (action(None, 4.0), "has times that are no numbers of seconds"),
        (action(-1.0, 4.0), "starts before its video"),
        (action(5.0, 91.0), "ends after its video of 90 seconds; correct.*end=91.0"),
        (action(90.0, 90.5), "ends after its video"),
        (action(500.0, 501.0), "ends after its video"),
    ],
)
def test_an_action_that_cannot_be_is_named_or_left_out_on_demand(tmp_path, wrong, message):
    path = written(tmp_path, own([action(1.0, 2.0), wrong]))
    with pytest.raises(
        ActionListError, match=f"actions.json: the action 'goal' of 'a.mp4' {message}"
    ):
        read_actions(path)
    with pytest.warns(ActionListWarning, match="actions left out: 1, the first 'goal' of 'a.mp4'"):
        (video,) = read_actions(path, invalid="skip")
    assert video.actions == (Action(1.0, 2.0, "goal"),)


def test_an_end_less_than_a_second_late_is_cut_with_a_warning(tmp_path):
    path = written(tmp_path, own([action(80.0, 90.9), action(1.0, 2.0), action(89, 90.1)]))
    with pytest.warns(
        ActionListWarning, match="cut to its end: 2, the first 'a.mp4' 'goal' from 80.0"
    ):
        (video,) = read_actions(path)
    assert [found.end for found in video.actions] == [90.0, 2.0, 90.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must be JSON"),
        ('{"actions_version": 1, "videos"', "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ([], "no list of actions"),
        ({}, "no list of actions"),
        ({"a": 1}, "no list of actions"),
        ({"actions_version": 2, "videos": []}, "update keras_video.*Received: 2"),
        ({"actions_version": 1}, '"videos"'),
        ({"actions_version": 1, "videos": []}, "no videos"),
        ({"actions_version": 1, "videos": ["a.mp4"]}, '"videos"'),
        (own(video=None), "has no name"),
        (own(video=""), "has no name"),
        (own(duration=0), "'a.mp4' has no duration"),
        (own(duration="90"), "'a.mp4' has no duration"),
        (own(duration=math.nan), "'a.mp4' has no duration"),
        (own(split="dev"), "'a.mp4' is of no known split.*'dev'"),
        (own(split=None), "no known split"),
        (own(3), "video 'a.mp4'.*\"actions\""),
        (own([1]), "video 'a.mp4'.*\"actions\""),
        (own([action(1, 2, "")]), "no label"),
        (own([action(1, 2, None)]), "no label"),
        ({"actions_version": 1, "videos": own()["videos"] * 2}, "'a.mp4' occurs twice"),
        ({"gts": 3}, '"gts"'),
        ({"gts": [{"url": "a", "actions": [{"label_names": []}]}]}, "'a' has no label_names"),
    ],
)
def test_files_of_other_content_are_named(tmp_path, content, message):
    with pytest.raises(ActionListError, match=message) as caught:
        read_actions(written(tmp_path, content))
    assert caught.value.path.endswith("actions.json")


def test_missing_files_and_splits_are_named(tmp_path):
    with pytest.raises(ActionListError, match="cannot be read"):
        read_actions(tmp_path / "none.json")
    with pytest.raises(ActionListError, match="cannot be read"):
        read_actions(tmp_path)
    path = written(tmp_path, own())
    with pytest.raises(ActionListError, match="no videos of the split 'test', only of val"):
        read_actions(path, split="test")
    with pytest.raises(ValueError, match="split='validation'"):
        read_actions(path, split="validation")
    with pytest.raises(ValueError, match="invalid='ignore'"):
        read_actions(path, invalid="ignore")
    (tmp_path / "latin.json").write_bytes('{"ä": 1}'.encode("latin-1"))
    with pytest.raises(ActionListError, match="UTF-8"):
        read_actions(tmp_path / "latin.json")


def test_errors_of_other_splits_do_not_matter(tmp_path):
    videos = own([action(5, 4)])["videos"] + own(video="b.mp4", split="train")["videos"]
    path = written(tmp_path, {"actions_version": 1, "videos": videos})
    assert [video.video for video in read_actions(path, split="train")] == ["b.mp4"]


def test_only_videos_once_can_be_written(tmp_path):
    video = AnnotatedVideo("a.mp4", 9.0, "val")
    with pytest.raises(ActionListError, match="occurs twice"):
        write_actions(tmp_path / "a.json", [video, video])
    with pytest.raises(ActionListError, match="no videos"):
        write_actions(tmp_path / "a.json", [])
    with pytest.raises(ValueError, match="AnnotatedVideos"):
        write_actions(tmp_path / "a.json", ["a.mp4"])
    with pytest.raises(ActionListError, match="cannot be written"):
        write_actions(tmp_path, [video])
