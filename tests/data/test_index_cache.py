"""The index of a long file is read once, and never used for another file."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from keras_video.data import (
    IndexCache,
    VideoDataset,
    VideoPreprocessor,
    VideoRecord,
    index_cache,
    open_video,
)


@pytest.fixture
def video(encoding, tmp_path, monkeypatch):
    """A transport stream in a folder of its own, an hour old; counts how often it is scanned."""
    monkeypatch.setattr(index_cache, "_WORTHWHILE", 10)
    path = tmp_path / "set" / "clip.ts"
    path.parent.mkdir()
    shutil.copy(encoding("h264 ts").path, path)
    age(path)
    return path


@pytest.fixture
def scans(monkeypatch):
    from keras_video.data import pyav_reader

    calls = []
    original = pyav_reader.scan_packets
    monkeypatch.setattr(
        pyav_reader, "scan_packets", lambda *args: calls.append(1) or original(*args)
    )
    return calls


def age(path, hours=1):
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(hours * 3600e9)))


def open_and_check(path, tools, decoder="pyav"):
    with open_video(path, decoder, index_cache=path.parent / ".index") as video:
        indices = [70, 3, 41]
        assert [tools.read_number(frame) for frame in video.get_frames(indices)] == indices
        return video.index


def entries(path):
    return [file for file in (path.parent / ".index").rglob("*") if file.is_file()]


def test_packets_are_read_once(video, scans, tools):
    first = open_and_check(video, tools)
    second = open_and_check(video, tools)
    assert len(scans) == 1 and len(entries(video)) == 1
    for field in dataclasses.fields(first):
        assert np.array_equal(getattr(first, field.name), getattr(second, field.name)), field.name


@pytest.mark.parametrize("training", [True, False])
def test_later_epochs_and_runs_of_a_data_set_read_no_packets(video, scans, training):
    def run(**arguments):
        preprocessor = VideoPreprocessor(num_frames=2, short_side=32, crop_size=32)
        records = [VideoRecord(str(video), 0)]
        dataset = VideoDataset(
            records, preprocessor=preprocessor, training=training, batch_size=1, **arguments
        )
        for _ in range(2):
            assert len(list(dataset)) == 1
        return len(scans)

    cache = video.parent / ".index"
    assert run() == 2 and not cache.exists()
    assert run(index_cache=cache) == 3 and len(entries(video)) == 1
    assert run(index_cache=str(cache)) == 3


def test_counted_and_cut_files_keep_their_nature(encoding, tmp_path, monkeypatch, tools):
    monkeypatch.setattr(index_cache, "_WORTHWHILE", 10)
    path = tmp_path / "b.avi"
    data = encoding("h264 avi with b").path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    age(path)
    kept = []
    for _ in range(2):
        with pytest.raises(ValueError, match="the file is truncated"):
            open_video(path, index_cache=tmp_path / ".index")
        with open_video(path, index_cache=tmp_path / ".index", allow_truncated=True) as video:
            assert video.truncated and video.index.counted
            kept.append((len(video), tools.read_number(video.get_frames([40])[0])))
    assert kept[0] == kept[1] and entries(path)


@pytest.mark.parametrize("change", ["content", "time", "ffmpeg"])
def test_a_changed_file_is_read_again(video, scans, tools, change, monkeypatch):
    open_and_check(video, tools)
    if change == "content":
        data = video.read_bytes()
        status = os.stat(video)
        video.write_bytes(data[: len(data) * 9 // 10 // 188 * 188])
        os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        age(video)
    else:
        versions = {**index_cache.av.library_versions, "libavformat": (1, 2, 3)}
        monkeypatch.setattr(index_cache.av, "library_versions", versions)
    open_and_check(video, tools)
    assert len(scans) == 2 and len(entries(video)) == 1


def test_a_moved_data_set_keeps_its_cache(video, scans, tools):
    open_and_check(video, tools)
    moved = video.parent.rename(video.parent.with_name("moved"))
    open_and_check(moved / video.name, tools)
    assert len(scans) == 1


def test_equal_names_elsewhere_are_other_videos(video, tmp_path):
    cache = IndexCache(tmp_path / "set" / ".index")
    other = tmp_path / "other" / "clip.ts"
    other.parent.mkdir()
    shutil.copy2(video, other)
    with open_video(video, index_cache=cache.folder):
        pass
    assert cache.entry(video).load() is not None and cache.entry(other).load() is None


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
def test_a_damaged_entry_is_replaced(video, scans, tools, damage):
    open_and_check(video, tools)
    (entry,) = entries(video)
    data = bytearray(entry.read_bytes())
    flipped = data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]
    entry.write_bytes({"cut": data[:-8], "flip": flipped, "text": b"[1]\n2", "empty": b""}[damage])
    open_and_check(video, tools)
    assert len(scans) == 2
    open_and_check(video, tools)
    assert len(scans) == 2


def test_recent_and_short_files_are_not_kept(video, tools, monkeypatch):
    os.utime(video)
    open_and_check(video, tools)
    age(video)
    monkeypatch.setattr(index_cache, "_WORTHWHILE", 1000)
    open_and_check(video, tools)
    assert not entries(video)


def test_a_file_that_changes_while_it_is_indexed_is_not_kept(video, monkeypatch, tools):
    from keras_video.data import pyav_reader

    original = pyav_reader.scan_packets
    monkeypatch.setattr(pyav_reader, "scan_packets", lambda *args: age(video) or original(*args))
    open_and_check(video, tools)
    assert not entries(video)


def test_a_folder_that_cannot_be_written_warns(video, tools, monkeypatch):
    (video.parent / ".index").write_text("a file in the way")
    with pytest.warns(UserWarning, match="cannot keep the index of clip.ts: "):
        open_and_check(video, tools)


def test_a_full_disk_leaves_nothing_behind(video, tools, monkeypatch):
    def fail(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_cache.Path, "write_bytes", fail)
    with pytest.warns(UserWarning, match="No space left on device. Such videos are indexed each"):
        open_and_check(video, tools)
    assert not entries(video)


def test_bytes_have_no_cache(video, tools):
    with open_video(video.read_bytes(), index_cache=video.parent / ".index") as reader:
        assert len(reader) == 90
    assert not (video.parent / ".index").exists()
