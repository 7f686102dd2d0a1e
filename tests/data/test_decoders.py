"""The registry of decoders, and decord as one of them."""

import importlib.util
import subprocess
import sys
import types

import numpy as np
import pytest

from keras_video.data import VideoPipeline, decoders, open_video, register_decoder
from keras_video.data.decord_reader import decord_is_exact
from keras_video.data.opencv_reader import opencv_is_exact
from keras_video.data.torchcodec_reader import torchcodec_is_exact


def loads(module: str) -> bool:
    """Whether a package is there and all that it needs; torchcodec fails late if FFmpeg is not."""
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return False
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True)
    return done.returncode == 0


MODULES = {"decord": "decord", "opencv": "cv2", "torchcodec": "torchcodec.decoders"}
INSTALLED = {decoder for decoder, module in MODULES.items() if loads(module)}

EXACT_IN_DECORD = {
    "h264 gop 12", "h264 gop 250", "h264 without b", "h264 every frame key", "h264 gop 3 with b",
    "h264 b pyramid", "h264 mkv", "h264 fragmented", "h264 with audio", "h264 variable rate",
    "h264 offset of 5 s", "h264 rotated 90", "h264 rotated 180", "vp8", "vp8 alt-ref", "vp9",
}  # fmt: skip


EXACT_IN_OPENCV = EXACT_IN_DECORD | {
    "hevc", "hevc open gop", "hevc temporal layers", "mpeg4 avi", "mpeg4 mp4 with b"}  # fmt: skip
EXACT_IN_TORCHCODEC = EXACT_IN_DECORD | {"hevc", "hevc open gop", "hevc temporal layers"}
EXACT_IN = {
    "decord": (EXACT_IN_DECORD, decord_is_exact),
    "opencv": (EXACT_IN_OPENCV, opencv_is_exact),
    "torchcodec": (EXACT_IN_TORCHCODEC, torchcodec_is_exact),
}


@pytest.mark.parametrize("decoder", list(EXACT_IN))
def test_only_ordinary_files_go_to_other_decoders(encoding, encoding_name, decoder):
    names, is_exact = EXACT_IN[decoder]
    with open_video(encoding(encoding_name).path) as video:
        assert is_exact(video) == (encoding_name in names)


@pytest.mark.parametrize("decoder", list(EXACT_IN))
def test_other_decoders_return_the_same_pixels_as_pyav(encoding, encoding_name, decoder):
    path = encoding(encoding_name).path
    if decoder not in INSTALLED:
        with pytest.raises(ImportError, match=f'decoder="{decoder}" needs '):
            open_video(path, decoder=decoder)
        return
    with open_video(path) as pyav, open_video(path, decoder=decoder) as other:
        assert other.decoder == (decoder if encoding_name in EXACT_IN[decoder][0] else "pyav")
        assert len(other) == len(pyav)
        assert (other.width, other.height, other.fps) == (pyav.width, pyav.height, pyav.fps)
        assert np.array_equal(other.timestamps, pyav.timestamps)
        if other.decoder == decoder:
            other._exact._read = None  # it is not to stand in
        length = len(pyav)
        for indices in ([length - 1, 0, length // 2, 0], range(0, length, 7), range(5, 25)):
            assert np.array_equal(other.get_frames(indices), pyav.get_frames(indices))


@pytest.mark.parametrize("decoder", sorted(INSTALLED))
def test_other_decoders_take_bytes_and_urls(encoding, tools, decoder):
    path = encoding("h264 gop 12").path
    for source in (path.read_bytes(), f"file://{path}"):
        with open_video(source, decoder=decoder) as video:
            assert video.decoder == ("pyav" if decoder == "opencv" else decoder)
            assert tools.read_number(video.get_frames([33])[0]) == 33


@pytest.mark.parametrize("decoder", list(MODULES))
def test_the_error_names_what_is_missing(encoding, monkeypatch, decoder):
    package = MODULES[decoder].partition(".")[0]
    monkeypatch.setitem(sys.modules, package, None)
    needed = {
        "decord": r'pip install "keras-video\[decord\]"',
        "opencv": "pip install opencv-python-headless",
        "torchcodec": "needs torch, torchcodec and FFmpeg's libraries: .*torchcodec",
    }[decoder]
    with pytest.raises(ImportError, match=needed):
        open_video(encoding("h264 gop 12").path, decoder=decoder)


def test_pyav_stands_in_where_opencv_gives_up(encoding, monkeypatch, tools):
    class Capture:
        """Opens and decodes 20 frames, all black."""

        def __init__(self, *arguments):
            self.left = 20

        def isOpened(self):  # noqa: N802
            return True

        def grab(self):
            self.left -= 1
            return self.left >= 0

        def retrieve(self):
            return True, np.zeros((64, 96, 3), np.uint8)

        def release(self):
            pass

    fake = types.ModuleType("cv2")
    fake.CAP_PROP_N_THREADS = fake.CAP_FFMPEG = fake.COLOR_BGR2RGB = 0
    fake.cvtColor = lambda picture, code: picture[..., ::-1]
    fake.VideoCapture = Capture
    monkeypatch.setitem(sys.modules, "cv2", fake)
    with open_video(encoding("h264 gop 12").path, decoder="opencv") as video:
        for _ in range(2):
            frames = video.get_frames([7, 19, 20, 45])
            assert [tools.read_number(frame) for frame in frames] == [0, 0, 20, 45]
        assert [tools.read_number(frame) for frame in video.get_frames([50])] == [50]


class PretendVideoDecoder:
    """torchcodec's side of the reader, with half of the frames and each black."""

    def __init__(self, source, dimension_order, num_ffmpeg_threads, seek_mode):
        assert (dimension_order, num_ffmpeg_threads, seek_mode) == ("NHWC", 1, "exact")
        self.length = 60

    def __len__(self):
        return self.length

    def get_frames_at(self, indices):
        import torch

        if max(indices) >= 30:
            raise RuntimeError("no more frames")
        pixels = torch.zeros((len(indices), 64, 96, 3), dtype=torch.uint8)
        return types.SimpleNamespace(data=pixels)


def test_pyav_stands_in_where_torchcodec_gives_up(encoding, monkeypatch, tools):
    fake = types.ModuleType("torchcodec")
    fake.decoders = types.SimpleNamespace(VideoDecoder=PretendVideoDecoder)
    monkeypatch.setitem(sys.modules, "torchcodec", fake)
    path = encoding("h264 gop 12").path
    with open_video(path, decoder="torchcodec") as video:
        assert video.decoder == "torchcodec"
        frames = video.get_frames(range(10, 42))  # in batches of 16, the second fails
        numbers = [tools.read_number(frame) for frame in frames]
        assert numbers == [0] * 16 + list(range(26, 42))
    monkeypatch.setattr(PretendVideoDecoder, "__len__", lambda self: 59)
    with open_video(path, decoder="torchcodec") as video:
        assert video.decoder == "pyav"


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
