"""Files that cannot be read give one line that names the file and the cause."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from keras_video.data import VideoDecodeError, VideoPipeline, open_video
from keras_video.data.announced_size import announced_size


def reason_of(source, **settings) -> str:
    with pytest.raises(VideoDecodeError) as info:
        open_video(source, **settings)
    message = str(info.value)
    assert "\n" not in message
    assert message == f"{info.value.path}: {info.value.reason}"
    if isinstance(source, (str, Path)):
        assert message.startswith(str(source))
    return info.value.reason


@pytest.fixture(scope="module")
def whole(video_folder, tools):
    """An MP4 whose index comes first, as it is on the web."""
    return tools.encode_video(
        video_folder / "whole.mp4", frames=100, gop=25, container_options={"movflags": "faststart"}
    )


def cut(source, target, share):
    data = source.read_bytes()
    target.write_bytes(data[: int(share * len(data))])
    return target


def test_missing_file(tmp_path):
    assert reason_of(tmp_path / "none.mp4") == "there is no such file"
    with pytest.raises(FileNotFoundError, match="none.mp4: there is no such file"):
        open_video(tmp_path / "none.mp4")


def test_directory_without_pictures(tmp_path):
    assert "this folder holds no numbered pictures" in reason_of(tmp_path)


def test_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert reason_of(path) == "the file is empty (0 bytes)"
    assert reason_of(b"") == "the file is empty (0 bytes)"
    assert reason_of(io.BytesIO()) == "the file is empty (0 bytes)"


def test_text_named_mp4(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("this is no video\n" * 20)
    assert reason_of(path) == "FFmpeg finds no video in the 340 bytes of this file"


def test_playlists_are_not_followed(tmp_path, whole):
    path = tmp_path / "list.mp4"
    path.write_text(f"#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:9/{whole.name}\n#EXT-X-ENDLIST\n")
    reason_of(path)


def test_audio_only(tmp_path, tools):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        tools.encode_silence(out, out.add_stream("aac", rate=16000, layout="mono"), 1)
    assert reason_of(path) == "the file has no video stream; it holds audio"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_no_frames(tmp_path, suffix):
    path = tmp_path / f"none{suffix}"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        out.start_encoding()
    assert "no frame" in reason_of(path) or "no video" in reason_of(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_truncated_mp4_with_its_index_first(tmp_path, whole, share, tools):
    path = cut(whole, tmp_path / "cut.mp4", share)
    reason = reason_of(path)
    with open_video(path, allow_truncated=True) as video:
        readable = len(video)
        assert video.truncated and 0 < readable < 100
        numbers = [tools.read_number(frame) for frame in video.get_frames(range(readable))]
    assert numbers[: readable - 4] == list(range(readable - 4))
    expected = f"the file is truncated: only the first {readable} of 100 frames can be read"
    assert reason == expected


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_truncated_mp4_with_its_index_last(tmp_path, encoding, share):
    path = cut(encoding("h264 gop 250").path, tmp_path / "cut.mp4", share)
    assert reason_of(path).startswith("truncated or damaged: ")
    assert reason_of(path, allow_truncated=True).endswith(" bytes are there")


@pytest.mark.parametrize(
    "name", ["h264 mkv", "vp9", "h264 flv", "mjpeg avi", "mpeg4 avi", "h264 fragmented"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files_of_other_kinds(tmp_path, encoding, name, share):
    whole = encoding(name).path
    path = cut(whole, tmp_path / f"cut{whole.suffix}", share)
    reason = reason_of(path)
    assert reason.startswith(("the file is truncated: ", "truncated or damaged: "))
    if "only the first" in reason:
        with open_video(path, allow_truncated=True) as video:
            assert len(video.get_frames(range(len(video)))) < 60


@pytest.mark.parametrize("name", ["h264 ts", "mpeg2 ps"])
def test_recordings_end_where_they_end(tmp_path, encoding, name, tools):
    path = cut(encoding(name).path, tmp_path / f"cut{encoding(name).path.suffix}", 0.5)
    with open_video(path) as video:
        numbers = [tools.read_number(frame) for frame in video.get_frames(range(len(video) - 5))]
    assert numbers == list(range(len(numbers))) and len(numbers) > 10


def test_a_cut_that_costs_no_frame_is_no_error(tmp_path, encoding):
    mkv = encoding("h264 mkv")
    path = cut(mkv.path, tmp_path / "cut.mkv", 1 - 2 / mkv.path.stat().st_size)
    assert announced_size(io.BytesIO(path.read_bytes())) > path.stat().st_size
    with open_video(path) as video:
        assert len(video) == 60


def test_whole_files_are_as_long_as_they_announce(encoding):
    for name in ("h264 gop 12", "h264 fragmented", "h264 mkv", "vp9", "mjpeg avi", "mpeg4 avi"):
        path = encoding(name).path
        with open(path, "rb") as file:
            assert announced_size(file) == path.stat().st_size, name
    assert announced_size(io.BytesIO(encoding("h264 ts").path.read_bytes())) is None
    assert announced_size(io.BytesIO(b"text")) is None


@pytest.mark.parametrize("name", ["h264 gop 12", "h264 mkv", "h264 ts", "h264 avi with b", "hevc"])
@pytest.mark.filterwarnings("ignore::keras_video.data.VideoDecodeWarning")
def test_flipped_bytes_never_end_in_another_error(encoding, name):
    data = encoding(name).path.read_bytes()
    rng = np.random.default_rng(0)
    pipeline = VideoPipeline(short_side=64, crop_size=64)
    for count in (3, 30, 300) * 6:
        broken = np.frombuffer(data, np.uint8).copy()
        broken[rng.integers(0, len(data), count)] ^= 0x55
        try:
            assert pipeline(broken.tobytes()).shape == (1, 8, 64, 64, 3)
        except VideoDecodeError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("source", [None, 3, ["a.mp4"]])
def test_things_that_are_no_source(source):
    with pytest.raises(TypeError, match="a path, bytes or a binary file object. Received"):
        open_video(source)


def test_a_file_open_as_text(encoding):
    with open(encoding("h264 gop 12").path, encoding="latin1") as file:
        with pytest.raises(TypeError, match="binary mode"):
            open_video(file)


def test_unknown_decoder(encoding):
    with pytest.raises(ValueError, match="Did you mean 'decord'.*Received: decoder='decor'"):
        open_video(encoding("h264 gop 12").path, decoder="decor")
