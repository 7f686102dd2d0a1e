import io
import stat
from fractions import Fraction

import av
import numpy as np
import pytest

from keras_video.data.motion_clips import render_motion_clip
from keras_video.data.video_writer import write_video


@pytest.fixture(scope="module")
def clip():
    return render_motion_clip("moving right", seed=1, num_frames=30, size=96)


def read(source):
    with av.open(source) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return np.stack(frames), stream


def mean_error(first, second):
    return np.abs(first.astype("int16") - second.astype("int16")).mean()


def test_open_video_gives_back_what_was_written(tmp_path, clip):
    from keras_video.data import open_video

    path = tmp_path / "clip.mp4"
    levels = np.arange(30) * 5
    frames = clip // 3 + levels[:, None, None, None].astype("uint8")
    assert write_video(path, frames, fps=25) == 30
    with open_video(path) as video:
        assert len(video) == 30
        assert (video.height, video.width) == (96, 96)
        assert video.fps == pytest.approx(25)
        decoded = video.get_frames(range(30))
    assert mean_error(decoded, frames) < 5
    # Each level is one frame's: none is lost, doubled or moved.
    offset = decoded.mean(axis=(1, 2, 3)) - frames.mean(axis=(1, 2, 3))
    assert np.abs(offset).max() < 2


def test_the_default_is_h264_that_every_player_opens(tmp_path, clip):
    path = tmp_path / "clip.mp4"
    write_video(path, clip)
    _, stream = read(path)
    assert stream.codec_context.name == "h264"
    assert stream.codec_context.pix_fmt == "yuv420p"
    assert stream.average_rate == 25
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index comes first"


def test_the_same_frames_give_the_same_bytes(clip):
    files = [io.BytesIO() for _ in range(6)]
    for file in files:
        write_video(file, clip)
    assert len({file.getvalue() for file in files}) == 1


def test_colours_survive(tmp_path):
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200], [128, 128, 128]], "uint8")
    frames = np.broadcast_to(colours.repeat(16, axis=0)[None, None], (3, 64, 64, 3))
    path = tmp_path / "colours.mp4"
    write_video(path, frames, options={"crf": "5"})
    decoded, _ = read(path)
    # Not at the borders between colours, where half the chroma resolution shows.
    inner = np.abs(decoded[1, 32, 8::16].astype(int) - colours)
    assert inner.max() <= 4


def test_a_generator_of_frames_is_enough(tmp_path, clip):
    path = tmp_path / "clip.mp4"
    assert write_video(path, (frame for frame in clip)) == len(clip)
    assert len(read(path)[0]) == len(clip)


def test_frames_are_encoded_as_they_come(tmp_path):
    """Memory stays bounded: the writer never holds more than a few frames of a generator."""
    alive = 0
    most = 0

    class Frame(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def frames():
        nonlocal alive, most
        for value in range(200):
            alive += 1
            most = max(most, alive)
            frame = np.ndarray.__new__(Frame, (16, 16, 3), "uint8")
            frame[...] = value
            yield frame

    assert write_video(tmp_path / "long.mp4", frames()) == 200
    assert most < 10


def test_odd_sizes_get_one_more_row_or_column(tmp_path, clip):
    path = tmp_path / "odd.mp4"
    write_video(path, clip[:, :71, :93])
    decoded, _ = read(path)
    assert decoded.shape == (30, 72, 94, 3)
    assert mean_error(decoded[:, :71, :93], clip[:, :71, :93]) < 5
    assert mean_error(decoded[:, 71], decoded[:, 70]) < 8


def test_file_objects_receive_an_mp4(clip):
    target = io.BytesIO()
    write_video(target, clip)
    target.seek(0)
    frames, stream = read(target)
    assert len(frames) == len(clip)
    assert stream.codec_context.name == "h264"


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (30, 30),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (12.5, 12.5),
        (1 / 500, Fraction(1, 500)),
    ],
)
def test_frame_rates_are_exact(tmp_path, clip, fps, rate):
    path = tmp_path / "clip.mp4"
    write_video(path, clip, fps=fps)
    assert read(path)[1].average_rate == rate


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clip.avi", {"codec": "mpeg4"}),
        ("clip.mkv", {"codec": "ffv1", "pixel_format": "bgr0"}),
        ("clip.webm", {"codec": "libvpx-vp9"}),
    ],
)
def test_other_containers_and_codecs(tmp_path, clip, name, arguments):
    write_video(tmp_path / name, clip[:5], **arguments)
    assert mean_error(read(tmp_path / name)[0], clip[:5]) < 8


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, clip):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"what was there before")

    def frames():
        yield from clip[:10]
        raise RuntimeError("the camera fell")

    with pytest.raises(RuntimeError, match="the camera fell"):
        write_video(path, frames())
    assert path.read_bytes() == b"what was there before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]


def test_files_get_the_usual_permissions(tmp_path, clip):
    written, usual = tmp_path / "clip.mp4", tmp_path / "usual"
    write_video(written, clip[:2])
    usual.touch()
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": []}, "at least one frame"),
        ({"frames": np.zeros((2, 8, 8, 3), "float32")}, "Received: dtype=float32"),
        ({"frames": np.zeros((2, 8, 8), "uint8")}, r"Received: dtype=uint8, shape=\(8, 8\)"),
        (
            {"frames": [np.zeros((8, 8, 3), "uint8"), np.zeros((8, 6, 3), "uint8")]},
            r"size of the first one, \(8, 8\). Received: a frame of \(8, 6\)",
        ),
        ({"fps": 0}, "Received: fps=0"),
        ({"fps": 1e-4}, "Received: fps=0.0001"),
        ({"codec": "libnothing"}, "Received: codec='libnothing'"),
        ({"codec": "aac"}, "must encode video. Received: codec='aac'"),
        ({"pixel_format": "bgr0"}, "takes these pixel formats: yuv420p.*bgr0"),
        ({"path": "clip.doc"}, "must name a video container.*clip.doc"),
        ({"path": "clip.webm"}, "webm.*does not support.*libx264"),
        ({"options": {"crf": "excellent"}}, "refuses these settings.*excellent"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, arguments, message):
    arguments = {"path": "clip.mp4", "frames": np.zeros((2, 16, 16, 3), "uint8"), **arguments}
    path = tmp_path / arguments.pop("path")
    with pytest.raises(ValueError, match=message):
        write_video(path, **arguments)
    assert not list(tmp_path.iterdir())


def test_missing_folders_are_named(tmp_path, clip):
    with pytest.raises(FileNotFoundError, match="there is no folder .*missing"):
        write_video(tmp_path / "missing" / "clip.mp4", clip)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        write_video(tmp_path / "folder.mp4", clip)
