"""Videos that cannot be read, files that vanish, runs that are killed."""

import json
import logging
import os
import pathlib
import signal
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
from dataset_videos import number_of, write_folder

from keras_video.data import VideoPreprocessor
from keras_video.data.video_dataset import VideoDataset
from keras_video.data.video_failures import TooManyFailuresError

PREPROCESSOR = VideoPreprocessor(num_frames=4, short_side=40, crop_size=32)


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "videos", classes=("ant", "bee"), videos=4)


def make(folder, **arguments):
    arguments = {"preprocessor": PREPROCESSOR, "training": True, "batch_size": 4, **arguments}
    return VideoDataset.from_folder(folder, **arguments)


def shown(batches):
    return [number_of(clip) for clips, *_ in batches for clip in clips]


def spoil(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"this is no video")


def test_a_bad_video_is_replaced_by_the_next_one_in_training(folder, caplog):
    spoil(folder, "ant/2.mp4")
    train = make(folder)
    order = sum((train.record_indices(i, epoch=0).tolist() for i in range(2)), [])
    place = order.index(2)
    expected = [*order[:place], order[(place + 1) % 8], *order[place + 1 :]]
    with caplog.at_level(logging.WARNING, "keras_video"):
        assert shown(train) == expected
        labels = np.concatenate([labels for _, labels in make(folder)])
        assert labels.tolist() == [number // 4 for number in expected]
        list(train)
    (failure,) = train.failures
    assert failure.index == 2 and failure.source.endswith("2.mp4") and "no video" in failure.reason
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2, "once for each data set"
    assert "2.mp4: FFmpeg finds no video" in messages[0] and "takes its place" in messages[0]


def test_a_bad_video_is_a_black_clip_with_its_label_in_evaluation(folder):
    spoil(folder, "bee/1.mp4")
    val = make(folder, training=False, last_batch="pad", batch_size=3)
    batches = list(val)
    clips, labels, weights = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert not clips[5].any() and clips[4].any()
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0]
    assert weights.tolist() == [1] * 8 + [0]
    assert [failure.index for failure in val.failures] == [5]


def test_a_batch_of_bad_videos_only_has_the_shape_of_the_others(folder):
    spoil(folder, "ant/0.mp4", "ant/1.mp4")
    clips, labels = make(folder, training=False, batch_size=2)[0]
    assert clips.shape == (2, 4, 32, 32, 3) and not clips.any() and labels.tolist() == [0, 0]


def test_a_video_is_tried_twice(folder, monkeypatch):
    calls = []
    data = make(folder, training=False)
    load = data._samples._loader.load

    def flaky(record, rng):
        calls.append(record.source)
        if calls.count(record.source) == 1:
            raise OSError("the network is gone")
        return load(record, rng)

    monkeypatch.setattr(data._samples._loader, "load", flaky)
    assert shown(data) == list(range(8))
    assert len(calls) == 16 and not data.failures


def test_a_run_stops_with_a_report_when_too_many_fail(folder):
    spoil(folder, "ant/0.mp4", "ant/3.mp4", "bee/2.mp4")
    assert len(shown(make(folder, max_failures=3))) == 8
    with pytest.raises(TooManyFailuresError) as caught:
        list(make(folder, max_failures=2))
    text = str(caught.value)
    assert "3 of 8 videos could not be read, more than `max_failures`=2" in text
    for name in ("ant/0.mp4", "ant/3.mp4", "bee/2.mp4"):
        assert str(pathlib.Path(folder, name)) + ": FFmpeg finds no video" in text
    assert len(caught.value.failures) == 3


def test_fit_ends_with_the_report(folder):
    spoil(folder, "ant/0.mp4", "ant/3.mp4")
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(Exception, match="2 of 8 videos could not be read"):
        model.fit(make(folder, max_failures=1), verbose=0)


def test_not_one_readable_video_is_an_error(folder):
    spoil(folder, *(f"{name}/{i}.mp4" for name in ("ant", "bee") for i in range(4)))
    messages = {True: "not one video that this process loads is readable", False: "not one video"}
    for training, message in messages.items():
        with pytest.raises(ValueError, match=message):
            list(make(folder, training=training, max_failures=99))


def test_files_that_vanish_while_running_do_not_stop_it(folder):
    train = make(folder, batch_size=2, prefetch=0)
    batches = iter(train)
    next(batches)
    lost = [int(i) for i in train.record_indices(2, epoch=0)]
    for index in lost:
        os.remove(train.records[index].source)
    rest = list(batches)
    assert len(rest) == 3 and not set(shown(rest[1:2])) & set(lost)
    assert {failure.index for failure in train.failures} == set(lost)
    assert all("no such file" in failure.reason for failure in train.failures)


def test_after_an_error_the_next_batch_is_the_same_one(folder):
    expected = list(make(folder))
    angry = [True]

    def sometimes(clips, labels, rng):
        if angry and angry.pop():
            raise RuntimeError("not now")
        return clips, labels

    train = make(folder, batch_transform=sometimes)
    with pytest.raises(RuntimeError, match="not now"):
        list(train)
    assert train.state()["batch"] == 0
    np.testing.assert_array_equal(next(iter(train))[0], expected[0][0])


RUN = """
import json, sys, zlib
from keras_video.data import VideoDataset, VideoPreprocessor
train = VideoDataset.from_folder(
    sys.argv[1], preprocessor=VideoPreprocessor(num_frames=4, short_side=40, crop_size=32),
    training=True, batch_size=2)
while True:
    for clips, labels in train:
        print(json.dumps([zlib.crc32(clips.tobytes()), train.state()]), flush=True)
"""


def test_a_killed_run_goes_on_from_its_last_state(folder):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)], stdout=subprocess.PIPE, text=True
    )
    lines = [json.loads(run.stdout.readline()) for _ in range(7)]
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    checksums, states = zip(*lines, strict=True)
    train = make(folder, batch_size=2)
    train.restore(states[2])
    again = [zlib.crc32(clips.tobytes()) for _ in range(2) for clips, _ in train]
    assert again[:4] == list(checksums[3:])
