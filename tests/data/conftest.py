"""Videos rendered for the decoder tests: every frame carries its number as a bar code."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 96, 64
BITS = 8


def draw_frame(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The number as white and black columns above a moving square on a gradient."""
    frame = np.empty((height, width, 3), np.uint8)
    columns = np.arange(width)
    frame[:] = (columns * 200 // width + 20)[None, :, None]
    frame[..., 1] = 255 - frame[..., 1]
    bits = (number >> np.minimum(columns * BITS // width, BITS - 1)) & 1
    frame[: height // 2] = np.where(bits, 235, 20).astype(np.uint8)[None, :, None]
    left, top = (7 * number) % (width - 12), height // 2 + (3 * number) % (height // 2 - 12)
    frame[top : top + 12, left : left + 12] = (220, 60, 40)
    return frame


def read_number(frame: np.ndarray) -> int:
    """Reads the bar code of a decoded frame, at any scale."""
    height, width = frame.shape[:2]
    levels = frame[height // 8 : height // 4 + height // 8].astype(np.float32).mean((0, 2))
    centers = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    reach = max(width // BITS // 5, 1)
    bits = [levels[c - reach : c + reach + 1].mean() > 128 for c in centers]
    return sum(1 << position for position, bit in enumerate(bits) if bit)


def encode_video(
    path,
    codec="libx264",
    frames=60,
    options=None,
    size=(WIDTH, HEIGHT),
    gop=None,
    b_frames=None,
    format=None,
    container_options=None,
    times=None,
    rotation=None,
    rate=25,
    pixel_format="yuv420p",
    first_pts=0,
    audio=False,
    draw=draw_frame,
):
    """Writes `frames` numbered frames; `times` gives their time stamps in 1/1000 s."""
    with av.open(str(path), "w", format=format, container_options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        if gop is not None:
            stream.codec_context.gop_size = gop
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = out.add_stream("aac", rate=16000, layout="mono") if audio else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number, *size), format="rgb24")
            frame.pts = first_pts + (number if times is None else int(times[number]))
            frame.time_base = Fraction(1, rate if times is None else 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            encode_silence(out, sound, frames / rate)
    return Path(path)


def encode_av1(path, **settings):
    """In a thread of its own: as root, SVT-AV1 makes the one that calls it a real-time thread
    (SCHED_FIFO, priority 99), which would starve every other process from then on."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(encode_video, path, **settings).result()


def encode_silence(out, stream, seconds):
    for start in range(0, int(16000 * seconds), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def remux(source, target, transform=None, format=None, container_options=None):
    """Copies the video packets of `source`; `transform(packet)` may move their time stamps."""
    with (
        av.open(str(source)) as inside,
        av.open(str(target), "w", format=format, container_options=container_options or {}) as out,
    ):
        track = inside.streams.video[0]
        stream = out.add_stream_from_template(track)
        for packet in inside.demux(track):
            if packet.size:
                if transform is not None:
                    transform(packet)
                packet.stream = stream
                out.mux(packet)
    return Path(target)


def shift_packet(packet, frames):
    step = round(frames / (25 * packet.time_base))
    packet.pts += step
    packet.dts += step


def encode_two_sizes(path):
    """One MPEG-TS stream whose resolution doubles after 30 frames."""
    halves = [path.with_name(f"{path.stem}_{i}.ts") for i in range(2)]
    encode_video(halves[0], frames=30, gop=15, b_frames=0)
    encode_video(
        halves[1], frames=30, gop=15, b_frames=0, size=(2 * WIDTH, 2 * HEIGHT),
        draw=lambda number, *size: draw_frame(number + 30, *size),
    )  # fmt: skip
    with av.open(str(path), "w") as out:
        stream = None
        for part, half in enumerate(halves):
            with av.open(str(half)) as inside:
                stream = stream or out.add_stream_from_template(inside.streams.video[0])
                for packet in inside.demux(inside.streams.video[0]):
                    if packet.size:
                        shift_packet(packet, 30 * part)
                        packet.stream = stream
                        out.mux(packet)
    return path


def encode_two_streams(path):
    """A small cover-like stream first, the numbered video second."""
    with av.open(str(path), "w") as out:
        sizes = [(48, 32), (WIDTH, HEIGHT)]
        streams = [out.add_stream("libx264", rate=25, options={"g": "12"}) for _ in sizes]
        for stream, (width, height) in zip(streams, sizes, strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(60):
            for stream, size in zip(streams, sizes, strict=True):
                frame = draw_frame(number if size[0] == WIDTH else 0, *size)
                frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def encode_then(path, change, **settings):
    """Encodes MP4 beside `path`, then `change(source, path)` rewrites it."""
    source = encode_video(path.with_name(f"{path.stem}_source.mp4"), **settings)
    return change(source, path)


# Without macroblock trees x264 gives the same bytes every time.
X264 = {"preset": "veryfast", "mbtree": "0"}
SLOW_CHANGE = {"x264-params": "scenecut=0:open-gop=0", "preset": "veryfast"}
IRREGULAR = np.cumsum(np.random.default_rng(0).choice([20, 33, 40, 100], size=60))
LATE = partial(shift_packet, frames=125)
EARLY = partial(shift_packet, frames=-15)

# name -> (file name, function(path, **settings), settings)
ENCODINGS = {
    "h264 gop 12": ("h264_gop12.mp4", encode_video, dict(gop=12, options=X264)),
    "h264 gop 250": ("h264_gop250.mp4", encode_video, dict(gop=250, frames=120, options=X264)),
    "h264 without b": ("h264_nob.mp4", encode_video, dict(gop=12, b_frames=0, options=X264)),
    "h264 every frame key": ("h264_intra.mp4", encode_video, dict(gop=1, options=X264)),
    "h264 gop 3 with b": (
        "h264_gop3.mp4", encode_video, dict(gop=3, b_frames=1, options=SLOW_CHANGE)),
    "h264 b pyramid": (
        "h264_pyramid.mp4", encode_video,
        dict(gop=24, options={"x264-params": "bframes=6:b-pyramid=normal:b-adapt=0:ref=4"})),
    "h264 open gop": (
        "h264_open.mp4", encode_video,
        dict(gop=12, frames=90, options={"x264-params": "open-gop=1:bframes=3:scenecut=0"})),
    "h264 intra refresh": (
        "h264_refresh.mp4", encode_video,
        dict(gop=20, frames=90, options={"x264-params": "intra-refresh=1:bframes=0"})),
    "h264 intra refresh ts": (
        "h264_refresh.ts", encode_video,
        dict(gop=20, frames=90, options={"x264-params": "intra-refresh=1:bframes=0"})),
    "h264 mkv": ("h264.mkv", encode_video, dict(gop=12, options=X264)),
    "h264 flv": ("h264.flv", encode_video, dict(gop=12, options=X264)),
    "h264 ts": ("h264.ts", encode_video, dict(gop=12, frames=90, options=X264)),
    "h264 ts gop 250": ("h264_gop250.ts", encode_video, dict(gop=250, options=X264)),
    "h264 avi with b": ("h264.avi", encode_video, dict(gop=12, b_frames=2, options=X264)),
    "h264 fragmented": (
        "h264_fragmented.mp4", encode_video,
        dict(gop=12, options=X264,
             container_options={"movflags": "frag_keyframe+empty_moov+default_base_moof"})),
    "h264 elementary": ("h264.h264", encode_video, dict(gop=12, options=X264, format="h264")),
    "h264 with audio": ("h264_audio.mp4", encode_video, dict(gop=12, options=X264, audio=True)),
    "h264 odd size": (
        "h264_odd.mp4", encode_video,
        dict(gop=12, size=(97, 65), options=X264, pixel_format="yuv444p")),
    "h264 variable rate": (
        "h264_vfr.mp4", encode_video, dict(gop=12, times=IRREGULAR, options=X264)),
    "h264 offset of 5 s": (
        "h264_offset.mp4", encode_then,
        dict(change=partial(remux, transform=LATE), gop=12, options=X264)),
    "h264 edit list": (
        "h264_edit.mp4", encode_then,
        dict(change=partial(remux, transform=EARLY), gop=12, frames=75, options=X264)),
    "h264 rotated 90": (
        "h264_rotated_90.mp4", encode_video, dict(gop=12, rotation=90, options=X264)),
    "h264 rotated 180": (
        "h264_rotated_180.mp4", encode_video, dict(gop=12, rotation=180, options=X264)),
    "h264 two streams": ("h264_two.mp4", encode_two_streams, {}),
    "h264 two sizes": ("h264_two_sizes.ts", encode_two_sizes, {}),
    "hevc": (
        "hevc.mp4", encode_video,
        dict(codec="libx265", gop=20, frames=80, options={"x265-params": "log-level=none"})),
    "hevc open gop": (
        "hevc_open.mkv", encode_video,
        dict(codec="libx265", frames=80,
             options={"x265-params": "log-level=none:keyint=16:open-gop=1:scenecut=0:bframes=4"})),
    "hevc temporal layers": (
        "hevc_layers.mp4", encode_video,
        dict(codec="libx265", frames=80,
             options={"x265-params": "log-level=none:keyint=40:temporal-layers=2:bframes=4"})),
    "vp8": (
        "vp8.webm", encode_video, dict(codec="libvpx", gop=20, options={"deadline": "realtime"})),
    "vp8 alt-ref": (
        "vp8_altref.webm", encode_video,
        dict(codec="libvpx", gop=30,
             options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "4"})),
    "vp9": (
        "vp9.webm", encode_video,
        dict(codec="libvpx-vp9", gop=20,
             options={"lag-in-frames": "16", "auto-alt-ref": "1", "cpu-used": "5"})),
    "av1": ("av1.mp4", encode_av1, dict(codec="libsvtav1", gop=20, options={"preset": "12"})),
    "mpeg4 avi": ("mpeg4.avi", encode_video, dict(codec="mpeg4", gop=12, b_frames=0)),
    "mpeg4 avi with b": ("mpeg4_b.avi", encode_video, dict(codec="mpeg4", gop=12, b_frames=2)),
    "mpeg4 mp4 with b": ("mpeg4_b.mp4", encode_video, dict(codec="mpeg4", gop=12, b_frames=2)),
    "mpeg2 ps": (
        "mpeg2.mpg", encode_video, dict(codec="mpeg2video", gop=12, b_frames=2, format="vob")),
    "mpeg2 ts": ("mpeg2.ts", encode_video, dict(codec="mpeg2video", gop=12, b_frames=2)),
    "mpeg1": ("mpeg1.mpg", encode_video, dict(codec="mpeg1video", gop=12, b_frames=2)),
    "mjpeg avi": (
        "mjpeg.avi", encode_video, dict(codec="mjpeg", pixel_format="yuvj420p")),
    "wmv": ("wmv2.wmv", encode_video, dict(codec="wmv2", gop=12)),
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """A rendered file, the number its first frame carries and how many frames it has."""

    path: Path
    first: int
    frames: int


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="session")
def encoding(video_folder):
    """`encoding(name)` renders that file once per session."""
    done = {}

    def get(name: str) -> Encoding:
        if name not in done:
            file, function, settings = ENCODINGS[name]
            path = function(video_folder / file, **settings)
            trimmed = 15 if name == "h264 edit list" else 0
            done[name] = Encoding(path, trimmed, settings.get("frames", 60) - trimmed)
        return done[name]

    return get


def pytest_generate_tests(metafunc):
    if "encoding_name" in metafunc.fixturenames:
        metafunc.parametrize("encoding_name", list(ENCODINGS))


@pytest.fixture(scope="session")
def tools():
    """Functions that render and read the numbered videos."""

    class Tools:
        draw_frame = staticmethod(draw_frame)
        read_number = staticmethod(read_number)
        encode_video = staticmethod(encode_video)
        encode_silence = staticmethod(encode_silence)

    return Tools
