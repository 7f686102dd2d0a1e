"""Frames that the decoder scales show the same as frames that are resized afterwards."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_video.data import EncodedFramesReader, VideoPipeline, open_video, resize
from keras_video.data.video_reader import VideoReader

HALVES = {"h264 gop 12", "h264 rotated 90", "h264 avi with b", "h264 two sizes", "vp9"}


@pytest.mark.parametrize("name", sorted(HALVES))
def test_the_decoder_scales_upright_frames(encoding, name, tools):
    with open_video(encoding(name).path) as video:
        size = (video.height // 2, video.width // 2)
        indices = [3, 50, 31]
        scaled = video.get_frames(indices, size=size)
        resized = resize(video.get_frames(indices), size)
        assert scaled.shape == (3, *size, 3)
        assert np.abs(scaled.astype(int) - resized).mean() < 4
        asked = []
        again = video.get_frames(indices, size=lambda *own: asked.append(own) or size)
        assert set(asked) == {(video.height, video.width)}
        assert np.array_equal(again, scaled)
        if "rotated" not in name:
            assert [tools.read_number(frame) for frame in scaled] == indices


def test_the_own_size_changes_nothing(encoding):
    with open_video(encoding("h264 gop 12").path) as video:
        assert np.array_equal(video.get_frames([9], size=(64, 96)), video.get_frames([9]))


@pytest.mark.parametrize("size", [(32,), (0, 32), (32, 48, 3)])
def test_wrong_sizes(encoding, size):
    with open_video(encoding("h264 gop 12").path) as video:
        with pytest.raises(ValueError, match="`size` is a .*Received: size="):
            video.get_frames([9], size=size)


def test_transforms_get_the_scaled_frame(encoding):
    with open_video(encoding("h264 gop 12").path) as video:
        frames = video.get_frames([9], lambda frame: frame[:5], size=(32, 48))
        assert frames.shape == (1, 5, 48, 3)


def test_jpeg_decodes_at_a_fraction(tools, monkeypatch):
    file = io.BytesIO()
    Image.fromarray(tools.draw_frame(37, 384, 256)).save(file, "JPEG", quality=95)
    decoded = []
    monkeypatch.setattr(
        "keras_video.data.encoded_frames_reader.resize",
        lambda frame, size: decoded.append(frame.shape) or resize(frame, size),
    )
    with EncodedFramesReader([file.getvalue()]) as reader:
        frame = reader.get_frames([0], size=(60, 90))[0]
        whole = reader.get_frames([0])[0]
    assert decoded == [(64, 96, 3), (256, 384, 3)]
    assert tools.read_number(frame) == 37
    assert np.abs(frame.astype(int) - resize(whole, (60, 90))).mean() < 2


def test_readers_that_cannot_scale_resize_with_pillow():
    class Still(VideoReader):
        def _read(self, wanted, transform):
            picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
            return {number: transform(picture) for number in wanted}

        def close(self):
            pass

    reader = Still("still", np.arange(3) / 25, 25)
    frame = reader.get_frames([1])[0]
    assert np.array_equal(reader.get_frames([1], size=(2, 3))[0], resize(frame, (2, 3)))


@pytest.mark.parametrize("aspect_ratio", [None, 4 / 3])
def test_the_pipeline_lets_the_decoder_scale(encoding, aspect_ratio):
    path = encoding("h264 gop 12").path
    settings = dict(short_side=32, crop_size=32, crop="three", aspect_ratio=aspect_ratio)
    pillow = VideoPipeline(**settings)
    decoder = VideoPipeline(**settings, interpolation="decoder")
    assert VideoPipeline(**decoder.get_config()) == decoder != pillow
    assert "short side 32 (decoder" in decoder.describe()
    views = decoder(path)
    assert views.shape == (3, 8, 32, 32, 3)
    assert 0 < np.abs(views.astype(int) - pillow(path)).mean() < 4
    with open_video(path) as video:
        assert np.array_equal(decoder(video), views)
        frames = video.get_frames(range(len(video)))
    assert np.array_equal(decoder(frames), pillow(frames))


def test_the_pipeline_decodes_whole_frames_where_no_size_is_set(encoding):
    path = encoding("h264 gop 12").path
    views = [
        VideoPipeline(short_side=None, crop_size=64, interpolation=interpolation)(path)
        for interpolation in ("bilinear", "decoder")
    ]
    assert np.array_equal(*views)
