"""Live sources: all frames for who is fast, the newest ones for who is not."""

import io
import time

import av
import numpy as np
import pytest

from keras_video.data import LiveReader, VideoDecodeError

GREYS = np.arange(40) * 6


def encoded(fps=20):
    """A stream whose frame `i` has the grey level `6 i`."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=fps, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for grey in GREYS:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, "uint8"))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


class Pipe:
    """A file object that gives its content bit by bit."""

    def __init__(self, content, seconds=0.0):
        self._file = io.BytesIO(content)
        self._part, self._pause = len(content) // 40 + 1, seconds / 40

    def read(self, size):
        time.sleep(self._pause)
        return self._file.read(min(size, self._part))


@pytest.fixture(scope="module")
def content():
    return encoded()


def greys(frames):
    return np.array([frame.mean() for frame in frames])


def test_all_frames_come_in_order(content):
    with LiveReader(Pipe(content, seconds=0.2)) as reader:
        assert reader.fps == 20
        frames = list(reader)
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((48, 64, 3), "uint8")}
    np.testing.assert_allclose(greys(frames), GREYS, atol=3)
    assert reader.dropped == 0


@pytest.mark.parametrize(
    ("fps", "expected"),
    # What lies between two frames shows the second.
    [(10, GREYS[::2]), (40, np.concatenate([GREYS[:1], GREYS[1:].repeat(2)]))],
)
def test_another_rate_leaves_out_or_repeats_frames(content, fps, expected):
    with LiveReader(Pipe(content), fps) as reader:
        assert reader.fps == fps
        found = greys(reader)
    np.testing.assert_allclose(found, expected, atol=3)


def test_who_is_slow_gets_the_newest_frames(content):
    with LiveReader(Pipe(content), max_waiting=5) as reader:
        deadline = time.monotonic() + 20
        while reader.dropped < 35 and time.monotonic() < deadline:
            time.sleep(0.01)
        frames = list(reader)
    assert reader.dropped == 35
    np.testing.assert_allclose(greys(frames), GREYS[-5:], atol=3)


def test_closing_ends_the_frames(content):
    reader = LiveReader(Pipe(content, seconds=0.5))
    frames = iter(reader)
    next(frames)
    reader.close()
    assert list(frames) == []


def test_what_is_no_live_video_says_so(tmp_path):
    (tmp_path / "text").write_text("no video\n" * 100)
    for source in (tmp_path / "missing", tmp_path / "text", Pipe(b"no video")):
        with pytest.raises(VideoDecodeError, match="no live video"):
            LiveReader(source)
    for arguments in ({"fps": 0}, {"max_waiting": 0}):
        with pytest.raises(ValueError, match="Received: "):
            LiveReader(tmp_path, **arguments)
    with pytest.raises(ValueError, match="A live source is .* Received: 7"):
        LiveReader(7)
