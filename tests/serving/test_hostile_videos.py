"""Files of strangers: bombs, lies, and what is no video at all."""

import struct
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest
from serving_support import error_of, left_in, post

from keras_video.data import render_motion_clip, write_video
from keras_video.serving.limited_reader import LimitedReader, VideoLimits
from keras_video.serving.request_error import RequestError

DEFAULTS = {"max_seconds": 600, "max_pixels": 4096 * 2304, "max_frames": 36_000}


def refusal(path, **limits):
    """Why a file is not opened, or not decoded."""
    with pytest.raises(RequestError) as caught:
        with LimitedReader(str(path), VideoLimits(**{**DEFAULTS, **limits})) as video:
            video.get_frames(range(len(video)))
    assert str(path) not in caught.value.message
    return caught.value.status, caught.value.code


def png(side):
    """A picture of one colour, a bit a pixel: 20000 x 20000 of them are 50 KB."""
    pack = zlib.compressobj()
    row = bytes(1 + side // 8)
    pixels = b"".join(pack.compress(row) for _ in range(side)) + pack.flush()
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", pixels)]
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in [*parts, (b"IEND", b"")]:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        content += struct.pack(">I", len(data)) + name + data + checksum
    return content


def avi_of_pictures(path, pictures, stated=64):
    """An AVI whose header states another size than its pictures have."""
    with av.open(str(path), "w", format="avi") as output:
        stream = output.add_stream("png", rate=25)
        stream.width = stream.height = stated
        stream.pix_fmt = "rgb24"
        for number, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 25)
            packet.is_keyframe = True
            output.mux(packet)
    return path


def test_a_bomb_in_a_small_file_is_refused_before_it_is_decoded(client, tmp_path):
    for side in (5_000, 10_000, 20_000):
        bomb = avi_of_pictures(tmp_path / "bomb.avi", [png(side)] * 3)
        assert bomb.stat().st_size < 200_000
        response = post(client, bomb)
        assert error_of(response) == (422, "too_many_pixels")
        assert f"{side}x{side}" in response.json()["error"]["message"]


def test_frames_that_grow_in_the_middle_are_refused_when_they_come(client, tmp_path):
    bomb = avi_of_pictures(tmp_path / "late.avi", [png(64)] * 20 + [png(10_000)] * 20)
    assert error_of(post(client, bomb)) == (422, "too_many_pixels")


def test_8k_is_refused_and_4k_is_not(client, tmp_path):
    options = {"preset": "ultrafast"}
    for name, size, expected in (("8k", (4320, 7680), 422), ("4k", (2160, 3840), 200)):
        path = tmp_path / f"{name}.mp4"
        write_video(path, np.zeros((1, *size, 3), "uint8"), options=options)
        response = post(client, path)
        assert response.status_code == expected
        assert expected == 200 or error_of(response) == (422, "too_many_pixels")


def test_videos_of_an_hour_are_refused_whatever_says_so(client, tmp_path):
    frames = render_motion_clip("moving left", 10**6, 40, 64)
    for name in ("hour.mp4", "hour.mkv", "hour.avi"):
        write_video(tmp_path / name, frames, fps=1 / 100)
        response = post(client, tmp_path / name)
        assert error_of(response) == (422, "too_long")
        assert "4000 seconds" in response.json()["error"]["message"]


def test_frames_are_counted_where_the_header_does_not_say(tmp_path):
    frame = np.zeros((16, 16, 3), "uint8")
    for name in ("many.mkv", "many.mp4", "many.mpegts"):
        write_video(tmp_path / name, (frame for _ in range(1200)), 1000)
        assert refusal(tmp_path / name, max_frames=1000) == (422, "too_many_frames")
    with LimitedReader(str(tmp_path / "many.mkv"), VideoLimits(**DEFAULTS)) as video:
        assert video.describe()["frames"] == 1200


def test_time_is_measured_where_the_header_does_not_say(tmp_path):
    path = tmp_path / "stream.mpegts"
    write_video(path, render_motion_clip("moving left", 10**6, 30, 64), 10)
    assert refusal(path, max_seconds=2) == (422, "too_long")


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", (400, "empty")),
        (b"not a video\n" * 100, (415, "not_a_video")),
        (bytes(range(256)) * 100, (415, "not_a_video")),
        (png(64), (415, "not_a_video")),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", (415, "not_a_video")),
        (
            b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>',
            (415, "not_a_video"),
        ),
    ],
    ids=["empty", "text", "noise", "picture", "hls", "dash"],
)
def test_what_is_no_video_is_told_so(client, content, expected):
    assert error_of(post(client, content)) == expected


def test_lists_of_other_files_open_none(client, clip):
    text = f"ffconcat version 1.0\nfile {clip.name}\n".encode()
    assert error_of(post(client, text)) == (415, "not_a_video")
    assert refusal_of_text(clip.parent / "list", text) == (415, "not_a_video")


def refusal_of_text(path, text):
    path.write_bytes(text)
    return refusal(path)


def test_truncated_videos_are_undecodable(client, clip):
    whole = clip.read_bytes()
    assert error_of(post(client, whole[: len(whole) // 2]))[0] == 422
    assert error_of(post(client, whole[:-10]))[0] == 422
    assert error_of(post(client, whole[:40]))[0] in (415, 422)


def test_damaged_videos_never_crash_the_server(client, app, clip):
    whole = bytearray(clip.read_bytes())
    draws = np.random.default_rng(0)
    for _ in range(12):
        damaged = whole.copy()
        for place in draws.integers(0, len(whole), 40):
            damaged[place] = draws.integers(256)
        assert post(client, bytes(damaged)).status_code in (200, 415, 422)
    assert post(client, clip).status_code == 200
    assert left_in(app) == []


def test_sound_alone_is_no_video(client, tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 16000), "float32"), format="fltp", layout="mono"
        )
        frame.sample_rate = 16000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert error_of(post(client, tmp_path / "sound.mp4")) == (415, "not_a_video")
