import av
import numpy as np
import pytest

from keras_video.data import VideoDecodeError, open_video, render_motion_clip, write_video
from keras_video.data import reencoding as module
from keras_video.data.reencoding import reencode_video


def frames_of(path):
    with open_video(path) as video:
        return video.get_frames(range(len(video)))


def key_frames(path):
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    shown = sorted(packets, key=lambda packet: packet.pts)
    return [place for place, packet in enumerate(shown) if packet.is_keyframe]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "source.avi"
    write_video(path, render_motion_clip("moving up", 3, 61, 128), fps=30, codec="mpeg4")
    return path


def test_frames_stay_where_they_are(source, tmp_path):
    target = tmp_path / "target.mp4"
    assert reencode_video(source, target, gop=12) == 61
    before, after = frames_of(source).astype(float), frames_of(target)
    assert after.shape == before.shape
    errors = np.abs(before[:, None, ::8, ::8] - after[None, :, ::8, ::8]).mean(axis=(2, 3, 4))
    assert (errors.argmin(axis=1) == np.arange(61)).mean() > 0.95
    assert errors.diagonal().max() < 6
    with open_video(target) as video:
        assert video.fps == 30


def test_key_frames_are_never_farther_apart_than_asked(source, tmp_path):
    reencode_video(source, tmp_path / "a.mp4", gop=12)
    keys = key_frames(tmp_path / "a.mp4")
    assert keys[0] == 0
    assert 5 <= len(keys) <= 8
    assert np.diff([*keys, 61]).max() <= 12
    reencode_video(source, tmp_path / "b.mp4", gop=1)
    assert key_frames(tmp_path / "b.mp4") == list(range(61))


def test_large_videos_get_smaller_and_small_ones_stay(source, tmp_path):
    reencode_video(source, tmp_path / "small.mp4", short_side=64)
    assert frames_of(tmp_path / "small.mp4").shape == (61, 64, 64, 3)
    reencode_video(source, tmp_path / "same.mp4", short_side=256)
    assert frames_of(tmp_path / "same.mp4").shape == (61, 128, 128, 3)


@pytest.mark.parametrize("held", [1, 10])
def test_memory_is_bounded_whatever_the_length(source, held, tmp_path, monkeypatch):
    reencode_video(source, tmp_path / "whole.mp4")
    monkeypatch.setattr(module, "_BYTES_HELD", held * 128 * 128 * 3)
    sizes = []
    get_frames = module.VideoReader.get_frames

    def watch(self, indices, transform=None):
        sizes.append(len(indices))
        return get_frames(self, indices, transform)

    monkeypatch.setattr(module.VideoReader, "get_frames", watch)
    reencode_video(source, tmp_path / "parts.mp4")
    assert max(sizes) <= held
    assert sum(sizes) >= 61
    assert (tmp_path / "parts.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_failures_leave_nothing_behind(source, tmp_path):
    (tmp_path / "bad.mp4").write_text("no video")
    with pytest.raises(VideoDecodeError):
        reencode_video(tmp_path / "bad.mp4", tmp_path / "new.mp4")
    with pytest.raises(ValueError, match="Received: gop=0"):
        reencode_video(source, tmp_path / "new.mp4", gop=0)

    calls = []

    def stop():
        calls.append(1)
        if len(calls) == 20:
            raise InterruptedError("stopped")

    with pytest.raises(OSError, match="stopped"):
        reencode_video(source, tmp_path / "new.mp4", check=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mp4"]
