"""Clips from shards by TensorFlow alone: the same clips as elsewhere, from here or from workers."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_video.data import (
    VideoPreprocessor,
    VideoRecord,
    sample_segment,
    shard_dataset,
    write_frame_shards,
)
from keras_video.data.shard_dataset import _segment_indices

# What a user runs on each machine that helps; it ends with this process.
WORKER = """
import sys
from tensorflow.data.experimental import service
worker = service.WorkerServer(service.WorkerConfig(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def shards(tmp_path_factory, tools):
    """Eleven videos of different lengths in six shards, each its own class."""
    folder = tmp_path_factory.mktemp("shards")
    videos = [
        VideoRecord(str(tools.encode_video(folder / f"{number}.mp4", frames=2 + number)), number)
        for number in range(11)
    ]
    return write_frame_shards(videos, folder / "shards", records_per_shard=2, short_side=32)


def folder_of(shards):
    return shards.records[0].source.rpartition("/")[0]


def clips_by_label(dataset):
    pairs = [(int(label), clip) for clip, label in dataset.as_numpy_iterator()]
    clips = dict(pairs)
    assert len(clips) == len(pairs), "a video came twice"
    return clips


def make(shards, **arguments):
    return shard_dataset(folder_of(shards), **{"num_frames": 4, "crop_size": 24, **arguments})


def test_evaluation_shows_what_the_preprocessor_shows(shards):
    preprocess = VideoPreprocessor(num_frames=4, short_side=None, crop_size=24)
    dataset = make(shards)
    assert len(dataset) == 11
    for record, (clip, label) in zip(shards.records, dataset.as_numpy_iterator(), strict=True):
        assert (label, label.dtype, clip.dtype) == (record.label, np.int64, np.uint8)
        np.testing.assert_array_equal(clip, preprocess(record.source)[0])


def test_two_workers_give_every_clip_once(shards):
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    address = dispatcher.target.partition("://")[2]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for training in (False, True):
            here = clips_by_label(make(shards, training=training))
            there = clips_by_label(make(shards, training=training, service=dispatcher.target))
            assert sorted(here) == sorted(there) == list(range(11))
            for label, clip in here.items():
                np.testing.assert_array_equal(clip, there[label])
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def test_training_is_random_and_repeatable(shards):
    def epochs(**arguments):
        return list(make(shards, training=True, epochs=2, **arguments).as_numpy_iterator())

    first, again, other = epochs(seed=1), epochs(seed=1), epochs(seed=2)
    labels = [int(label) for _, label in first]
    assert sorted(labels) == sorted(2 * list(range(11)))
    assert labels[:11] != labels[11:] and labels != [int(label) for _, label in other]
    for one, two in zip(first, again, strict=True):
        assert one[1] == two[1]
        np.testing.assert_array_equal(one[0], two[0])
    clips = [[clip for clip, label in first if label == number] for number in range(11)]
    assert sum(not np.array_equal(*both) for both in clips) > 8


def test_half_of_the_clips_are_mirrored_as_a_whole(shards):
    mirrored = 0
    for seed in range(4):
        plain = clips_by_label(make(shards, training=True, seed=seed, flip=False))
        turned = clips_by_label(make(shards, training=True, seed=seed))
        for label, clip in plain.items():
            if not np.array_equal(clip, turned[label]):
                np.testing.assert_array_equal(clip[:, :, ::-1], turned[label])
                mirrored += 1
    assert 12 < mirrored < 32


@pytest.mark.parametrize("num_frames", [1, 4, 7])
def test_frames_are_those_of_sample_segment(num_frames):
    for length in range(1, 40):
        middle = _segment_indices(tf.constant(length, tf.int64), num_frames, None)
        np.testing.assert_array_equal(middle, sample_segment(length, num_frames)[0])
    length = tf.constant(2 * num_frames, tf.int64)
    drawn = [_segment_indices(length, num_frames, [1, seed]) for seed in range(40)]
    places = np.array(drawn) - 2 * np.arange(num_frames)
    assert set(places.reshape(-1)) == {0, 1}


def test_what_does_not_fit_is_named(shards, tmp_path):
    with pytest.raises(ValueError, match="There are no shards. Received: shards="):
        shard_dataset(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        shard_dataset([tmp_path / "none.tfrecord"])
    with pytest.raises(ValueError, match="`crop_size` must be a positive integer. Received: cr"):
        make(shards, crop_size=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="smaller than `crop_size`=40"):
        next(iter(make(shards, crop_size=40)))
