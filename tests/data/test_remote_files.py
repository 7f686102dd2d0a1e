"""Videos behind URLs, through fsspec and through TensorFlow's file systems."""

import importlib.util
import sys
import types

import fsspec
import pytest
import tensorflow as tf

from keras_video.data import VideoDecodeError, open_video, remote_files


@pytest.fixture
def remote(encoding):
    """`memory://videos/clip.mp4`, and what is left open of it."""
    files = fsspec.filesystem("memory")
    files.pipe("/videos/clip.mp4", encoding("h264 gop 12").path.read_bytes())
    yield "memory://videos/clip.mp4"
    files.rm("/videos", recursive=True)


def test_frames_of_a_url(remote, tools):
    with open_video(remote) as video:
        assert video.name == remote and len(video) == 60
        frames = video.get_frames([30, 2, 59])
        assert [tools.read_number(frame) for frame in frames] == [30, 2, 59]


def test_chained_protocols(remote, tmp_path, tools):
    url = f"simplecache::{remote}"
    fsspec.config.conf["simplecache"] = {"cache_storage": str(tmp_path)}
    try:
        with open_video(url) as video:
            assert tools.read_number(video.get_frames([17])[0]) == 17
    finally:
        del fsspec.config.conf["simplecache"]
    assert list(tmp_path.iterdir())


def test_the_file_is_closed_with_the_reader(remote, monkeypatch):
    opened = []
    original = remote_files.open_url
    monkeypatch.setattr(
        "keras_video.data.video_source.open_url",
        lambda url: opened.append(original(url)) or opened[-1],
    )
    closed = []
    memory_file = fsspec.implementations.memory.MemoryFile
    monkeypatch.setattr(memory_file, "close", lambda file: closed.append(file))
    with open_video(remote):
        assert opened and not closed
    assert closed == opened
    fsspec.filesystem("memory").pipe("/videos/text.mp4", b"this is no video" * 20)
    with pytest.raises(VideoDecodeError, match="FFmpeg finds no video"):
        open_video("memory://videos/text.mp4")
    assert len(opened) == 2 and closed[-1] is opened[-1]


def test_urls_of_nothing(remote):
    with pytest.raises(FileNotFoundError, match="^memory://videos/none.mp4: there is no such file"):
        open_video("memory://videos/none.mp4")
    fsspec.filesystem("memory").pipe("/videos/empty.mp4", b"")
    with pytest.raises(VideoDecodeError, match="empty"):
        open_video("memory://videos/empty.mp4")


def test_what_the_network_says_comes_with_the_url(remote, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("Name or service not known")

    monkeypatch.setattr(fsspec.filesystem("memory"), "open", fail, raising=False)
    with pytest.raises(VideoDecodeError, match="^memory://.*cannot be opened: Name or service"):
        open_video(remote)


def test_unknown_protocols(monkeypatch):
    hide_tensorflow_io(monkeypatch)
    with pytest.raises(VideoDecodeError, match="^teapot://clip.mp4: .*download the file"):
        open_video("teapot://clip.mp4")


def test_a_missing_package_is_named(monkeypatch):
    hide_tensorflow_io(monkeypatch)

    def fail(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(ImportError, match="^s3://videos/clip.mp4: Install s3fs to access S3"):
        open_video("s3://videos/clip.mp4")


def hide_tensorflow_io(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if "_io" in name else find(name)
    )


def test_tensorflow_io_says_where_it_works(monkeypatch):
    monkeypatch.setattr(tf, "__version__", "2.21.0")
    with pytest.raises(ImportError, match="alone. Received: TensorFlow 2.21.0. fsspec's"):
        remote_files.load_tensorflow_io()
    find = importlib.util.find_spec
    with monkeypatch.context() as patch:
        patch.setattr(
            importlib.util, "find_spec", lambda name, *rest: name if "_io" in name else find(name)
        )
        with pytest.raises(ImportError, match="^teapot://clip.mp4: tensorflow-io, also"):
            open_video("teapot://clip.mp4")
    monkeypatch.setattr(tf, "__version__", "2.17.1")
    hide_tensorflow_io(monkeypatch)
    with pytest.raises(ImportError, match=r'pip install "keras-video\[io\]"'):
        remote_files.load_tensorflow_io()


def test_tensorflow_io_serves_what_fsspec_does_not(encoding, monkeypatch, tools):
    monkeypatch.setattr(tf, "__version__", "2.17.1")
    module = types.ModuleType("tensorflow_io")
    module.__spec__ = importlib.util.spec_from_loader("tensorflow_io", None)
    monkeypatch.setitem(sys.modules, "tensorflow_io", module)

    def fail(url):
        raise ValueError("Protocol not known: file")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    path = encoding("h264 gop 12").path
    with open_video(f"file://{path}") as video:
        assert tools.read_number(video.get_frames([41])[0]) == 41
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        open_video(f"file://{path}.none")
    with pytest.raises(VideoDecodeError, match="this is a directory"):
        open_video(f"file://{path.parent}")
