"""Annotated actions become short videos that `recipes/finetune.py` can train on."""

import numpy as np
import pytest

from keras_video.applications import write_action_clips
from keras_video.data import VideoDecodeError, VideoList, open_video, write_video
from keras_video.localization import Action, AnnotatedVideo


@pytest.fixture
def videos(tmp_path):
    """Each frame is as bright as its time."""
    frames = (np.full((48, 64, 3), 2 * i, "uint8") for i in range(120))
    write_video(tmp_path / "match.mp4", frames, 10)
    actions = (Action(1.0, 3.0, "goal"), Action(7.0, 8.5, "corner"), Action(8.6, 9.0, "goal"))
    return [
        AnnotatedVideo("match.mp4", 12.0, "train", actions),
        AnnotatedVideo("match.mp4", None, "val", (Action(2.0, 4.0, "goal"),)),
    ]


def test_clips_show_the_actions_and_what_lies_between(videos, tmp_path):
    lists = write_action_clips(videos, tmp_path / "clips", root=tmp_path, short_side=32)
    assert sorted(lists) == ["train", "val"]
    train, val = (VideoList.read(lists[name]) for name in ("train", "val"))
    assert train.labels == ("background", "corner", "goal") == val.labels
    # Two pieces after the first action; the other gaps are too short for what came before, but
    # one is as long as the last action, which is too short itself.
    assert [record.label for record in train] == [2, 0, 0, 1, 2]
    assert [record.num_frames for record in train] == [20, 20, 20, 15, 4]
    # Of a video whose end is not known, nothing lies behind the last action.
    assert [record.label for record in val] == [2]
    for record, first in zip(train, (10, None, None, 70, 86), strict=True):
        with open_video(record.source) as video:
            shown = video.get_frames([0, len(video) - 1])
            assert shown.shape[1:3] == (32, 42) and len(video) == record.num_frames
        brightness = shown.mean(axis=(1, 2, 3)) / 2
        if first is not None:
            np.testing.assert_allclose(brightness, [first, first + len(video) - 1], atol=1.5)
        else:
            assert 29 < brightness[0] < brightness[1] < 71


def test_what_cannot_be_cut_is_named(videos, tmp_path):
    with pytest.raises(ValueError, match="Received: 1 videos without any"):
        write_action_clips([AnnotatedVideo("match.mp4", 12.0, "train")], tmp_path, root=tmp_path)
    late = AnnotatedVideo("match.mp4", None, "train", (Action(20.0, 22.0, "goal"),))
    with pytest.raises(VideoDecodeError, match=r"match\.mp4.*no frames from 20\.0 to 22\.0 s"):
        write_action_clips([late], tmp_path / "clips", root=tmp_path)
    missing = AnnotatedVideo("none.mp4", None, "train", (Action(1.0, 2.0, "goal"),))
    with pytest.raises(VideoDecodeError, match=r"none\.mp4"):
        write_action_clips([missing], tmp_path / "clips", root=tmp_path)
