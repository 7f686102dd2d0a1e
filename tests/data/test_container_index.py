"""The index from an MP4 file's tables equals the one from reading all its packets."""

import dataclasses
import io
import struct

import av
import numpy as np
import pytest

from keras_video.data import container_index, open_video
from keras_video.data.container_index import read_container_index
from keras_video.data.packet_index import scan_packets
from keras_video.data.video_source import VideoSource

FROM_TABLES = {
    "h264 gop 12", "h264 gop 250", "h264 without b", "h264 every frame key", "h264 gop 3 with b",
    "h264 b pyramid", "h264 open gop", "h264 intra refresh", "h264 with audio", "h264 odd size",
    "h264 variable rate", "h264 offset of 5 s", "h264 rotated 90", "h264 rotated 180",
    "h264 two streams", "hevc", "hevc temporal layers", "av1", "mpeg4 mp4 with b",
}  # fmt: skip


def both(path):
    """The index from the tables (or None) and the one from the packets."""
    source = VideoSource(path)
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        tables = read_container_index(source, container, stream, minimum=1)
    with av.open(str(path)) as container:
        packets = scan_packets(container, container.streams.best("video"))
    return tables, packets


def test_the_tables_tell_the_same_as_the_packets(encoding, encoding_name):
    tables, packets = both(encoding(encoding_name).path)
    assert (tables is not None) == (encoding_name in FROM_TABLES)
    if tables is not None:
        for field in dataclasses.fields(packets):
            value, expected = getattr(tables, field.name), getattr(packets, field.name)
            assert np.array_equal(value, expected), field.name


@pytest.fixture
def always(monkeypatch):
    """Uses the tables of short files too, and notes whether it did."""
    used = []

    def read(*arguments):
        index = read_container_index(*arguments, minimum=1)
        used.append(index is not None)
        return index

    monkeypatch.setattr("keras_video.data.pyav_reader.read_container_index", read)
    return used


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
@pytest.mark.parametrize("name", ["h264 open gop", "h264 intra refresh", "h264 variable rate"])
def test_frames_by_the_tables(encoding, name, kind, always, tools):
    path = encoding(name).path
    with open(path, "rb") as file:
        source = {"path": path, "bytes": path.read_bytes(), "file": file}[kind]
        with open_video(source) as video:
            assert always == [True]
            indices = [len(video) - 1, 0, 41, 13, 30]
            assert [tools.read_number(frame) for frame in video.get_frames(indices)] == indices


def movie_box(data, *path):
    """Where the content of a box inside `moov` starts."""
    position = 0
    for name in path:
        position = data.index(name, position) + 4
    return position


def test_wrong_tables_are_found_out(encoding, always, monkeypatch):
    path = encoding("h264 gop 12").path
    original = container_index._composition_offsets
    monkeypatch.setattr(
        container_index, "_composition_offsets", lambda *args: original(*args)[::-1].copy()
    )
    with pytest.raises(LookupError):
        both(path)
    with open_video(path) as video, av.open(str(path)) as container:
        assert np.array_equal(
            video.index.pts, scan_packets(container, container.streams.video[0]).pts
        )


def test_negative_offsets_and_cut_files_are_left_to_the_packets(encoding, tmp_path):
    path = encoding("h264 gop 12").path
    data = bytearray(path.read_bytes())
    place = movie_box(data, b"moov", b"ctts") + 12
    data[place : place + 4] = struct.pack(">i", -512)
    target = tmp_path / "negative.mp4"
    target.write_bytes(data)
    assert both(target)[0] is None


@pytest.mark.parametrize("table", [b"ctts", b"elst", b"trak", b"tkhd", b"mdia"])
def test_damaged_tables_are_left_to_the_packets(encoding, monkeypatch, table):
    path = encoding("h264 gop 12").path
    original = container_index._read_movie

    def cut(file):
        content = bytearray(original(file))
        place = content.index(table)
        content[place - 4 : place] = struct.pack(">I", 9)
        return memoryview(content)

    monkeypatch.setattr(container_index, "_read_movie", cut)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert read_container_index(VideoSource(path), container, stream, 1) is None


def test_edit_lists_that_cut_are_left_to_the_packets():
    def edits(*entries):
        body = b"".join(struct.pack(">IiI", *entry) for entry in entries)
        return memoryview(struct.pack(">II", 0, len(entries)) + body)

    normal = 1 << 16
    assert container_index._only_shifts(edits((100, 0, normal)))
    assert container_index._only_shifts(edits((50, -1, normal), (100, 1024, normal)))
    assert not container_index._only_shifts(edits((50, 0, normal), (50, 2048, normal)))
    assert not container_index._only_shifts(edits((100, 0, normal // 2)))
    assert not container_index._only_shifts(edits((100, 0, normal))[:-4])


def test_only_long_files_are_worth_it(encoding, monkeypatch, tools, tmp_path):
    path = tools.encode_video(tmp_path / "long.mp4", frames=1100, gop=250, size=(64, 48))
    monkeypatch.setattr("keras_video.data.pyav_reader.scan_packets", None)
    with open_video(path) as video:
        assert len(video) == 1100
        numbers = [tools.read_number(frame) for frame in video.get_frames([1099, 256 + 7])]
        assert numbers == [1099 % 256, 7]
    with pytest.raises(TypeError):
        open_video(encoding("h264 gop 12").path)


def test_other_files_are_no_movie():
    for data in (b"", b"\0\0\0\x08ftyp", b"\0\0\0\x02ftyp", struct.pack(">I4s", 1 << 30, b"moov")):
        assert container_index._read_movie(io.BytesIO(data)) is None
