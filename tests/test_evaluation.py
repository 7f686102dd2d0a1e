import json

import numpy as np
import pytest

from keras_video.data import VideoDecodeError, VideoPreprocessor
from keras_video.data.video_list import VideoList
from keras_video.data.video_record import VideoRecord
from keras_video.evaluation import evaluate_videos, with_views


class Oracle:
    """A model whose answers are written in the names of the videos: `2,0,1` or `bad`."""

    def __init__(self, num_classes=3, labels=None):
        self.output_shape = (None, num_classes)
        self.labels = labels
        self.preprocessor = VideoPreprocessor(num_frames=2, num_clips=2)
        self.seen_preprocessors = []

    def classify_each(self, videos, top_k, batch_size, errors):
        assert errors == "return"
        for video in videos:
            self.seen_preprocessors.append(self.preprocessor)
            name = video.partition("/")[0]
            if name == "bad":
                yield VideoDecodeError(video, "the file is empty (0 bytes)")
            else:
                yield [{"class_id": int(number)} for number in name.split(",")[:top_k]]


def listed(*records, labels=None):
    return VideoList([VideoRecord(source, label) for source, label in records], labels)


def test_every_video_counts_once_and_failures_are_wrong():
    videos = listed(
        ("0,1,2/a", 0), ("1,0,2/b", 0), ("1,0,2/c", 0), ("2,1,0/d", 0), ("1,2,0/e", 1), ("bad/f", 2)
    )  # fmt: skip
    seen = []
    result = evaluate_videos(Oracle(), videos, advance=lambda: seen.append(1))
    assert (result.videos, result.views, result.k) == (6, 2, 3)
    assert result.top1 == 2 / 6
    assert result.topk == 5 / 6
    assert result.failures == [{"path": "bad/f", "error": "the file is empty (0 bytes)"}]
    assert result.classes == [
        {"label": "2", "videos": 1, "top1": 0.0, "failed": 1, "taken_for": {}},
        {"label": "0", "videos": 4, "top1": 0.25, "failed": 0, "taken_for": {"1": 2, "2": 1}},
        {"label": "1", "videos": 1, "top1": 1.0, "failed": 0, "taken_for": {}},
    ]
    assert len(seen) == 6
    assert json.loads(json.dumps(result.to_dict()))["top1"] == result.top1


def test_k_is_five_where_there_are_so_many_classes():
    videos = listed(("6,5,4,3,2,1,0/a", 2), ("6,5,4,3,2,1,0/b", 1))
    result = evaluate_videos(Oracle(7), videos)
    assert (result.k, result.top1, result.topk) == (5, 0.0, 0.5)


def test_classes_are_matched_by_name():
    oracle = Oracle(labels=["hop", "skip", "jump"])
    videos = listed(("2,1,0/a", 0), ("0,1,2/b", 1), labels=("jump", "hop"))
    result = evaluate_videos(oracle, videos)
    assert result.top1 == 1.0
    assert {row["label"] for row in result.classes} == {"hop", "jump"}

    with pytest.raises(ValueError, match="no class for 1 of the list's classes. Received: 'walk'"):
        evaluate_videos(oracle, listed(("0,1,2/a", 0), labels=("walk",)))
    # A name that no video has is no reason to complain.
    assert evaluate_videos(oracle, listed(("2,1,0/a", 0), labels=("jump", "walk"))).top1 == 1.0


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        (VideoList([]), "Received: a list of 0 videos"),
        (VideoList(["0,1,2/a"]), "Received: 0,1,2/a without one"),
        (listed(("0,1,2/a", 3)), "classes 0 to 2. Received: class 3 for 0,1,2/a"),
    ],
)
def test_lists_that_cannot_be_evaluated(videos, message):
    with pytest.raises(ValueError, match=message):
        evaluate_videos(Oracle(), videos)


def test_views_and_decoder_are_for_this_time_only():
    oracle = Oracle()
    own = oracle.preprocessor
    result = evaluate_videos(oracle, listed(("0,1,2/a", 0)), views="4x3", decoder="decord")
    assert result.views == 12
    (used,) = oracle.seen_preprocessors
    assert (used.num_clips, used.crop, used.decoder, used.num_frames) == (4, "three", "decord", 2)
    assert oracle.preprocessor is own


def test_views_are_clips_times_crops():
    own = VideoPreprocessor(num_frames=2)
    assert with_views(own) is own
    assert with_views(own, "10x3").num_views == 30
    assert with_views(own, "1X10").crop == "ten"
    assert with_views(own, "2x1").crop == "center"
    assert with_views(VideoPreprocessor(crop="uniform"), "2x3").crop == "uniform"
    assert with_views(VideoPreprocessor(crop="uniform"), "2x1").crop == "center"
    clip = np.zeros((9, 300, 300, 3), "uint8")
    assert with_views(own, "2x3")(clip).shape == (6, 2, 224, 224, 3)
    for wrong in ("10", "x3", "3x", "0x3", "10x4", "10x3x2", "-1x3", "ten x3"):
        with pytest.raises(ValueError, match="Received: views="):
            with_views(own, wrong)
