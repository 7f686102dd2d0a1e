"""The registry of decoders, and decord as one of them."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from keras_video.data import VideoPipeline, decoders, open_video, register_decoder
from keras_video.data.decord_reader import decord_is_exact

HAS_DECORD = importlib.util.find_spec("decord") is not None

EXACT_IN_DECORD = {
    "h264 gop 12", "h264 gop 250", "h264 without b", "h264 every frame key", "h264 gop 3 with b",
    "h264 b pyramid", "h264 mkv", "h264 fragmented", "h264 with audio", "h264 variable rate",
    "h264 offset of 5 s", "h264 rotated 90", "h264 rotated 180", "vp8", "vp8 alt-ref", "vp9",
}  # fmt: skip


def test_only_ordinary_files_go_to_decord(encoding, encoding_name):
    with open_video(encoding(encoding_name).path) as video:
        assert decord_is_exact(video) == (encoding_name in EXACT_IN_DECORD)


def test_decord_returns_the_same_pixels_as_pyav(encoding, encoding_name):
    path = encoding(encoding_name).path
    if not HAS_DECORD:
        with pytest.raises(ImportError, match=r'pip install "keras-video\[decord\]"'):
            open_video(path, decoder="decord")
        return
    with open_video(path) as pyav, open_video(path, decoder="decord") as decord:
        assert decord.decoder == ("decord" if encoding_name in EXACT_IN_DECORD else "pyav")
        assert len(decord) == len(pyav)
        assert (decord.width, decord.height, decord.fps) == (pyav.width, pyav.height, pyav.fps)
        assert np.array_equal(decord.timestamps, pyav.timestamps)
        length = len(pyav)
        for indices in ([length - 1, 0, length // 2, 0], range(0, length, 7), range(5, 25)):
            assert np.array_equal(decord.get_frames(indices), pyav.get_frames(indices))


def test_decord_reads_bytes(encoding, tools):
    data = encoding("h264 gop 12").path.read_bytes()
    if HAS_DECORD:
        with open_video(data, decoder="decord") as video:
            assert tools.read_number(video.get_frames([33])[0]) == 33


def test_without_decord_the_error_names_the_extra(encoding, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    with pytest.raises(ImportError, match=r'pip install "keras-video\[decord\]"'):
        open_video(encoding("h264 gop 12").path, decoder="decord")


def test_a_registered_decoder_serves_the_preprocessor(encoding, monkeypatch):
    monkeypatch.setattr(decoders, "_DECODERS", dict(decoders._DECODERS))
    opened = []

    def factory(source, **settings):
        opened.append(source)
        return open_video(source, **settings)

    register_decoder("mine", factory)
    path = encoding("h264 gop 12").path
    views = VideoPipeline(short_side=64, crop_size=64, decoder="mine")(path)
    assert opened == [path] and views.shape == (1, 8, 64, 64, 3)


def test_a_decoder_may_be_named_by_its_import_path(encoding, monkeypatch):
    monkeypatch.setattr(decoders, "_DECODERS", dict(decoders._DECODERS))
    register_decoder("other", "keras_video.data.pyav_reader:PyAVReader")
    with open_video(encoding("h264 gop 12").path, decoder="other") as video:
        assert len(video) == 60


@pytest.mark.parametrize("name, factory", [("", print), ("x", None), ("x", "module")])
def test_wrong_registrations(name, factory):
    with pytest.raises(ValueError, match="Received"):
        register_decoder(name, factory)


def test_naming_a_decoder_does_not_import_it():
    code = (
        "import sys\n"
        "from keras_video.data import VideoPipeline\n"
        "VideoPipeline(decoder='decord')\n"
        "print({'av', 'decord'} & set(sys.modules))\n"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert output.stdout == "set()\n" and output.stderr == ""
