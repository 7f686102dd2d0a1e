"""Rendered clips with several tags: two movements, one colour, a list that says which."""

import csv

import numpy as np
import pytest

from keras_video.data import MOTION_CLASSES, open_video
from keras_video.data.tagged_clips import TAG_COLORS, render_tagged_clip, write_tagged_videos


def test_a_clip_has_two_movements_and_one_colour():
    clip, tags = render_tagged_clip(seed=5, num_frames=16, size=32)
    assert clip.shape == (16, 32, 32, 3) and clip.dtype == np.uint8
    assert len(set(tags) & set(MOTION_CLASSES)) == 2
    assert len(set(tags) & set(TAG_COLORS)) == 1
    again, same_tags = render_tagged_clip(seed=5, num_frames=16, size=32)
    assert same_tags == tags
    np.testing.assert_array_equal(again, clip)


def test_the_colour_is_that_of_the_tag():
    for seed in range(8):
        clip, tags = render_tagged_clip(seed, num_frames=4, size=32)
        wanted = np.array(TAG_COLORS[tags[-1]])
        light = clip.reshape(-1, 3).mean(axis=0)
        assert light[wanted > 150].min() > light[wanted < 100].max() - 40


def test_videos_and_their_list_are_written(tmp_path):
    path = write_tagged_videos(tmp_path / "new" / "set", num_videos=4, num_frames=8, size=32)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["train"] * 3 + ["test"]
    for index, row in enumerate(rows):
        assert tuple(row["tags"].split("|")) == render_tagged_clip(index, 8, 32)[1]
        with open_video(path.parent / row["video"]) as video:
            assert len(video) == 8


def test_impossible_sets_are_refused(tmp_path):
    with pytest.raises(ValueError, match="num_videos=1"):
        write_tagged_videos(tmp_path, num_videos=1)
    with pytest.raises(ValueError, match="num_frames=3"):
        render_tagged_clip(0, num_frames=3)
