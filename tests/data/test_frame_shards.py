"""Extracted frames: written in pieces, read by number, never half there."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_video.data import (
    VideoDecodeError,
    VideoPreprocessor,
    open_video,
    resize_short_side,
)
from keras_video.data import frame_shards as module
from keras_video.data.frame_shard import INDEX_SUFFIX, FrameShard, open_shard_record
from keras_video.data.frame_shards import write_frame_shards
from keras_video.data.shard_dataset import shard_dataset
from keras_video.data.video_record import VideoRecord


@pytest.fixture(scope="module")
def videos(tmp_path_factory, tools):
    folder = tmp_path_factory.mktemp("videos")
    return [
        VideoRecord(str(tools.encode_video(folder / f"{n}.mp4", frames=10 + n, rate=20)), n % 3)
        for n in range(5)
    ]


def write(videos, folder, **options):
    options = {"records_per_shard": 2, "short_side": 32, **options}
    return write_frame_shards(videos, folder, **options)


@pytest.fixture(scope="module")
def shards(videos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    return folder, write(videos, folder)


def test_frames_are_read_by_number(videos, shards):
    folder, report = shards
    assert [record.label for record in report.records] == [0, 1, 2, 0, 1]
    assert [record.num_frames for record in report.records] == [10, 11, 12, 13, 14]
    assert report.failures == [] and report.written == 3 and report.kept == 0
    for original, record in zip(videos, report.records, strict=True):
        with open_video(original.source) as video, open_shard_record(record.source) as extracted:
            assert len(extracted) == len(video) and extracted.fps == 20
            wanted = [9, 0, 4]
            frames = extracted.get_frames(wanted)
            assert frames.shape == (3, 32, 48, 3)
            expected = resize_short_side(video.get_frames(wanted), 32)
            assert np.abs(frames.astype(int) - expected).mean() < 8


def test_open_video_and_data_sets_take_them(shards):
    _, report = shards
    record = report.records[2]
    with open_video(record.source) as video:
        assert len(video) == record.num_frames and record.source in repr(video)
    preprocess = VideoPreprocessor(num_frames=4, short_side=32, crop_size=32)
    assert preprocess(record.source).shape == (1, 4, 32, 32, 3)
    with pytest.raises(VideoDecodeError, match="none.tfrecord: there is no such file"):
        open_video("none.tfrecord#0")


def test_tensorflow_reads_the_same_frames(shards):
    folder, report = shards
    paths = sorted(str(path) for path in folder.glob("*.tfrecord"))
    features = {
        "frames": tf.io.RaggedFeature(tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "fps": tf.io.FixedLenFeature([], tf.float32),
    }
    examples = [
        tf.io.parse_single_example(data, features) for data in tf.data.TFRecordDataset(paths)
    ]
    assert [int(example["label"]) for example in examples] == [0, 1, 2, 0, 1]
    for example, record in zip(examples, report.records, strict=True):
        with open_shard_record(record.source) as video:
            picture = example["frames"][7]
            decoded = tf.io.decode_jpeg(picture, dct_method="INTEGER_ACCURATE").numpy()
            assert np.abs(video.get_frames([7])[0].astype(int) - decoded).max() <= 3


def watch_opening(monkeypatch, original):
    opened = []

    def open_and_note(source, **options):
        opened.append(source)
        return original(source, **options)

    monkeypatch.setattr(module, "open_video", open_and_note)
    return opened


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.tfrecord")}


def test_every_video_is_counted_and_threads_change_no_byte(videos, shards, tmp_path):
    seen = []
    write(videos, tmp_path / "1", workers=1, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    write(videos, tmp_path / "4", workers=4)
    assert contents(tmp_path / "1") == contents(tmp_path / "4") == contents(shards[0])


def test_videos_are_extracted_side_by_side(videos, tmp_path, monkeypatch):
    original, together = module.open_video, threading.Barrier(2, timeout=30)

    def meet(source, **options):
        if source in (videos[1].source, videos[2].source):  # of two shards
            together.wait()
        return original(source, **options)

    monkeypatch.setattr(module, "open_video", meet)
    assert len(write(videos, tmp_path, workers=2).records) == 5


def test_few_videos_are_extracted_ahead(videos, tmp_path, monkeypatch):
    opened = watch_opening(monkeypatch, module.open_video)
    ahead = []
    many = [videos[0]] * 12
    write(many, tmp_path, workers=1, progress=lambda done, _: ahead.append(len(opened) - done))
    assert max(ahead) <= 3


def test_an_interrupted_run_goes_on(videos, tmp_path, monkeypatch):
    original = module.open_video

    def interrupted(source, **options):
        if source == videos[3].source:
            raise KeyboardInterrupt
        return original(source, **options)

    monkeypatch.setattr(module, "open_video", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(videos, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "frames-00000-of-00003.tfrecord",
        "frames-00000-of-00003.tfrecord" + INDEX_SUFFIX,
    ]
    opened, calls = watch_opening(monkeypatch, original), []
    report = write(videos, tmp_path, progress=lambda done, total: calls.append((done, total)))
    assert (report.kept, report.written) == (1, 2) and len(report.records) == 5
    assert calls == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert sorted(opened) == [video.source for video in videos[2:]]
    again = write(videos, tmp_path)
    assert (again.kept, again.written) == (3, 0) and again.records == report.records


def test_a_full_disk_leaves_nothing_behind(videos, tmp_path, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(module, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        write(videos, tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()

    class Failing:
        def __init__(self, path):
            raise tf.errors.ResourceExhaustedError(None, None, "no space")

    monkeypatch.setattr(tf.io, "TFRecordWriter", Failing)
    with pytest.raises(OSError, match="frames-00000-of-00003.tfrecord was not written: no space"):
        write(videos, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_videos_that_cannot_be_read_are_reported(videos, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    missing = str(tmp_path / "missing.mp4")
    listed = [videos[0], VideoRecord(str(broken), 1), VideoRecord(missing, 2), videos[1]]
    for _ in range(2):  # the second time from the finished shards
        report = write(listed, tmp_path / "shards")
        assert [source for source, _ in report.failures] == [str(broken), missing]
        assert "no such file" in report.failures[1][1]
        assert [record.num_frames for record in report.records] == [10, 11]
        with open_shard_record(report.records[1].source) as video:
            assert len(video.get_frames([0, 10])) == 2


def test_mended_videos_are_tried_again_when_asked(videos, tmp_path, monkeypatch):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    listed = [VideoRecord(str(broken), 2), *videos[:3]]
    folder = tmp_path / "shards"
    write(listed, folder)
    broken.write_bytes(Path(videos[4].source).read_bytes())
    kept = write(listed, folder)
    assert (kept.written, kept.kept, len(kept.failures)) == (0, 2, 1)

    opened = watch_opening(monkeypatch, module.open_video)
    report = write(listed, folder, retry_failed=True)
    assert opened == [str(broken)], "what was extracted is copied"
    assert (report.written, report.kept, report.failures) == (1, 1, [])
    assert [record.num_frames for record in report.records] == [14, 10, 11, 12]
    assert [record.label for record in report.records] == [2, 0, 1, 2]
    assert write(listed, folder, retry_failed=True).written == 0
    write(listed, tmp_path / "fresh")
    assert contents(folder) == contents(tmp_path / "fresh")
    for record, original in zip(report.records, [videos[4], *videos[:3]], strict=True):
        with open_shard_record(record.source) as video, open_video(original.source) as expected:
            assert video.fps == 20 and len(video) == len(expected)
            assert len(video.get_frames(range(len(video)))) == len(video)


def test_a_retry_keeps_what_was_extracted_when_the_videos_are_gone(videos, tmp_path):
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(Path(videos[0].source).read_bytes())
    listed = [VideoRecord(str(mine), 0), VideoRecord(str(tmp_path / "missing.mp4"), 1)]
    folder = tmp_path / "shards"
    before = write(listed, folder)
    bytes_before = contents(folder)
    mine.unlink()
    after = write(listed, folder, retry_failed=True)
    assert after.written == 1
    assert (after.records, after.failures) == (before.records, before.failures)
    assert contents(folder) == bytes_before


@pytest.mark.parametrize("moves", [0, 1])
def test_a_retry_may_be_interrupted_while_it_replaces_a_shard(videos, tmp_path, monkeypatch, moves):
    mended = tmp_path / "mended.mp4"
    listed = [videos[0], VideoRecord(str(mended), 1)]
    folder = tmp_path / "shards"
    write(listed, folder)
    mended.write_bytes(Path(videos[1].source).read_bytes())
    replace, moved = os.replace, []

    def interrupted(*paths):
        if len(moved) == moves:
            raise KeyboardInterrupt
        moved.append(paths)
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(listed, folder, retry_failed=True)
    report = write(listed, folder)
    assert (len(report.records), report.failures) == (2, [])
    for record in report.records:
        with open_shard_record(record.source) as video:
            video.get_frames(range(len(video)))


def test_a_shard_of_bad_videos_is_empty_and_readers_pass_over_it(videos, tmp_path):
    missing = [VideoRecord(str(tmp_path / f"{number}.mp4"), 1) for number in range(2)]
    folder = tmp_path / "shards"
    report = write([*missing, *videos[:2]], folder)
    assert report.written == 2 and len(report.failures) == 2
    empty = folder / "frames-00000-of-00002.tfrecord"
    assert empty.stat().st_size == 0 and len(FrameShard(empty)) == 0
    with pytest.raises(VideoDecodeError, match="#0: the shard holds 0 videos"):
        open_shard_record(f"{empty}#0")
    assert [record.source for record in report.records] == [
        f"{folder / 'frames-00001-of-00002.tfrecord'}#{number}" for number in range(2)
    ]
    clips = shard_dataset(folder, num_frames=2, crop_size=32, training=True, epochs=2)
    assert len(clips) == 4
    assert sorted(int(label) for _, label in clips) == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="hold no video.*Received: shards="):
        shard_dataset([empty])


def test_shards_of_something_else_are_not_mixed_in(videos, tmp_path):
    write(videos[:4], tmp_path)
    with pytest.raises(ValueError, match="made with other sources.*Received: sources="):
        write(videos[1:5], tmp_path)
    with pytest.raises(ValueError, match="made with other settings"):
        write(videos[:4], tmp_path, quality=50)
    relabelled = [VideoRecord(video.source, 7) for video in videos[:4]]
    with pytest.raises(ValueError, match="made with other labels"):
        write(relabelled, tmp_path)
    with pytest.raises(ValueError, match="shards of another extraction.*of-00002.tfrecord"):
        write(videos, tmp_path)


def test_damage_is_named(videos, tmp_path):
    report = write(videos[:2], tmp_path)
    source = report.records[1].source
    path, _, _ = source.rpartition("#")
    data = bytearray(Path(path).read_bytes())
    with pytest.raises(VideoDecodeError, match="#2: the shard holds 2 videos"):
        FrameShard(path).open(2)
    with pytest.raises(VideoDecodeError, match="not of the form shard.tfrecord#number"):
        open_shard_record(path)
    data[-2000] ^= 0xFF
    Path(path).write_bytes(data)
    with open_shard_record(source) as video:
        with pytest.raises(VideoDecodeError, match=r"tfrecord#1: frame \d+ does not have the che"):
            video.get_frames(range(len(video)))
    with open_shard_record(report.records[0].source) as video:
        video.get_frames(range(len(video)))
    os.truncate(path, len(data) - 1)
    with pytest.raises(VideoDecodeError, match=f"has {len(data) - 1} bytes and its index tells"):
        open_shard_record(source)
    Path(path + INDEX_SUFFIX).write_bytes(b"no index")
    with pytest.raises(VideoDecodeError, match="its index .* is damaged"):
        open_shard_record(source)
    os.remove(path + INDEX_SUFFIX)
    with pytest.raises(VideoDecodeError, match="its index .* is missing"):
        open_shard_record(source)
    os.remove(path)
    with pytest.raises(VideoDecodeError, match="there is no such file"):
        open_shard_record(source)


def test_wrong_arguments(videos, tmp_path):
    for options in (
        {"quality": 0},
        {"records_per_shard": 0},
        {"short_side": 2.5},
        {"workers": 0},
    ):
        name, value = next(iter(options.items()))
        with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
            write(videos, tmp_path, **options)
    with pytest.raises(ValueError, match="no videos to extract"):
        write([], tmp_path)
