"""The default decoder returns frame i for i, whatever container, codec and structure."""

import gc
import io
import multiprocessing
import pathlib
import pickle
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import ExifTags, Image

from keras_video.data import VideoDecodeError, VideoDecodeWarning, VideoReader, open_video
from keras_video.data.display_matrix import DisplayMatrices


def decode_all(path):
    """All frames in order, the slow way: no index, no seeking, nothing left out."""
    frames, size, matrices = [], None, DisplayMatrices()
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            size = size or (frame.width, frame.height)
            picture = frame.reformat(*size, "rgb24").to_ndarray()
            frames.append(matrices.of(frame).upright(picture))
    return np.stack(frames)


def patterns(length):
    rng = np.random.default_rng(length)
    return [
        np.arange(length),
        (np.arange(8) + 0.5) * length // 8,
        np.arange(length // 3, length, 2),
        rng.integers(0, length, 16),
        np.arange(length - 5, length),
        *([index] for index in range(length)),
    ]


def test_every_frame_is_the_right_one(encoding, encoding_name, tools):
    video = encoding(encoding_name)
    expected = decode_all(video.path)
    with open_video(video.path) as reader:
        assert len(reader) == video.frames == len(expected)
        frames = reader.get_frames(range(len(reader)))
        if "rotated" not in encoding_name and "two streams" not in encoding_name:
            numbers = [tools.read_number(frame) for frame in frames]
            assert numbers == list(range(video.first, video.first + video.frames))
        for indices in patterns(len(reader)):
            indices = np.asarray(indices, np.int64)
            assert np.array_equal(reader.get_frames(indices), expected[indices]), indices


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "bytearray", "file", "stream"])
def test_sources(encoding, kind, tools):
    path = encoding("h264 gop 12").path
    with open(path, "rb") as file:
        source = {
            "path": lambda: path,
            "str": lambda: str(path),
            "bytes": path.read_bytes,
            "bytearray": lambda: bytearray(path.read_bytes()),
            "file": lambda: file,
            "stream": lambda: NotSeekable(path.read_bytes()),
        }[kind]()
        with open_video(source) as video:
            frames = video.get_frames([30, 2, 59])
            assert [tools.read_number(frame) for frame in frames] == [30, 2, 59]
        if kind == "file":
            assert not file.closed


class NotSeekable(io.RawIOBase):
    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(buffer)


def test_counted_frames_of_a_file_object(encoding, tools):
    data = io.BytesIO(encoding("h264 avi with b").path.read_bytes())
    with open_video(data) as video:
        for index in (40, 3):
            assert tools.read_number(video.get_frames([index])[0]) == index


def test_properties(encoding):
    with open_video(encoding("h264 offset of 5 s").path) as video:
        assert isinstance(video, VideoReader)
        assert (video.width, video.height, len(video), video.fps) == (96, 64, 60, 25.0)
        assert video.duration == pytest.approx(2.4)
        assert video.timestamps[0] == pytest.approx(5.0)
        assert np.diff(video.timestamps) == pytest.approx(0.04)
        assert video.decoder == "pyav"
        assert "60 frames, 25 fps, 2.4 s" in repr(video)


def test_time_stamps_of_a_variable_rate(encoding):
    with open_video(encoding("h264 variable rate").path) as video:
        steps = np.diff(video.timestamps)
        assert set(np.round(steps, 3)) == {0.02, 0.033, 0.04, 0.1}
        assert video.duration == pytest.approx(steps.sum() + 1 / video.fps)


def test_rotated_videos_come_upright(video_folder, tools):
    for rotation in (0, 90, 180, -90):
        stored = lambda number, *size, turns=rotation // 90: np.ascontiguousarray(  # noqa: E731
            np.rot90(tools.draw_frame(number), -turns)
        )
        size = (64, 96) if rotation % 180 else (96, 64)
        path = tools.encode_video(
            video_folder / f"upright_{rotation}.mp4", frames=20, gop=5, size=size,
            rotation=rotation, draw=stored,
        )  # fmt: skip
        with open_video(path) as video:
            assert (video.width, video.height) == (96, 64)
            assert [tools.read_number(frame) for frame in video.get_frames([3, 17])] == [3, 17]


@pytest.mark.parametrize("axes", [(1,), (0,), (0, 1)])
def test_mirrored_videos_come_as_seen(encoding, video_folder, axes):
    path = encoding("h264 gop 12").path
    plain, signs = [1 << 16, 0, 0, 0, 1 << 16], np.ones(5, int)
    signs[[(4, 0)[axis] for axis in axes]] = -1
    plain, turned = (np.array(values, ">i4").tobytes() for values in (plain, plain * signs))
    header, track, rest = pathlib.Path(path).read_bytes().partition(b"tkhd")
    mirrored = video_folder / f"mirrored_{len(axes)}{axes[0]}.mp4"
    mirrored.write_bytes(header + track + rest.replace(plain, turned, 1))
    with open_video(path) as video, open_video(mirrored) as other:
        assert np.array_equal(np.flip(video.get_frames([7])[0], axes), other.get_frames([7])[0])


def test_pictures_with_exif(video_folder, tools):
    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = np.ascontiguousarray(np.rot90(tools.draw_frame(5)))
    Image.fromarray(stored).save(file, "JPEG", quality=95, exif=exif)
    path = video_folder / "exif.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuvj420p"
        for number in range(3):
            packet = av.Packet(file.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            out.mux(packet)
    with open_video(path) as video:
        assert [tools.read_number(frame) for frame in video.get_frames([0, 2])] == [5, 5]


@pytest.mark.parametrize("name", ["h264 gop 12", "h264 rotated 90"])
def test_pictures_do_not_wait_for_the_garbage_collector(encoding, name):
    def pixels_alive():
        frames = (found for found in gc.get_objects() if type(found) is av.VideoFrame)
        return sum(frame.width * frame.height for frame in frames)

    gc.collect()
    gc.disable()
    try:
        before = pixels_alive()
        for _ in range(20):
            with open_video(encoding(name).path) as video:
                video.get_frames(range(0, 40, 5))
                video.get_frames([3, 21], size=(32, 48))
        assert pixels_alive() - before <= 20 * 2 * 2
    finally:
        gc.enable()


def test_the_container_chooses_among_video_streams(encoding):
    with av.open(str(encoding("h264 two streams").path)) as container:
        best = container.streams.best("video")
        size = (best.codec_context.width, best.codec_context.height)
    with open_video(encoding("h264 two streams").path) as video:
        assert (video.width, video.height) == size


def test_frames_not_asked_for_are_not_decoded_where_that_is_safe(encoding):
    path = encoding("h264 b pyramid").path
    decoded = []
    with open_video(path) as video:
        original = video._decode
        video._decode = lambda asked: (decoded.append(1) or frame for frame in original(asked))
        video.get_frames([23])
    assert len(decoded) < 20


def test_hevc_with_temporal_layers_decodes_all_frames(encoding):
    from keras_video.data.pyav_reader import _can_drop_frames

    with open_video(encoding("hevc").path) as plain:
        assert _can_drop_frames(plain.codec_context)
    with open_video(encoding("hevc temporal layers").path) as layered:
        assert not _can_drop_frames(layered.codec_context)


def test_each_frame_is_decoded_and_transformed_once(encoding):
    calls = []

    def shrink(frame):
        calls.append(frame.shape)
        return frame[::2, ::2]

    with open_video(encoding("h264 gop 12").path) as video:
        frames = video.get_frames([5, 5, 50, 5, 50], transform=shrink)
    assert frames.shape == (5, 32, 48, 3)
    assert calls == [(64, 96, 3)] * 2
    assert np.array_equal(frames[0], frames[3]) and np.array_equal(frames[2], frames[4])


def test_transforms_give_one_shape_and_type(encoding):
    with open_video(encoding("h264 gop 12").path) as video:
        heights = iter((2, 1))
        with pytest.raises(ValueError, match=r"one shape and type. Received: uint8 \(2, .*\(1, "):
            video.get_frames([5, 6], transform=lambda frame: frame[: next(heights)])
        types = iter(("uint8", "float32"))
        with pytest.raises(ValueError, match="one shape and type. Received: uint8 .* float32"):
            video.get_frames([5, 6], transform=lambda frame: frame.astype(next(types)))
        means = video.get_frames([6, 5, 6], transform=np.mean)
        assert np.array_equal(means, [frame.mean() for frame in video.get_frames([6, 5, 6])])


@pytest.mark.parametrize("threads", [0, 2])
def test_more_threads_give_the_same_frames(encoding, threads):
    path = encoding("h264 b pyramid").path
    expected = decode_all(path)
    with open_video(path, threads=threads) as video:
        assert np.array_equal(video.get_frames(range(0, 60, 7)), expected[::7])


@pytest.mark.parametrize(
    "indices, error, message",
    [
        ([60], IndexError, "frame indices go from 0 to 59. Received: 60"),
        ([-1], IndexError, "Received: -1"),
        ([], ValueError, "non-empty"),
        ([1.5], ValueError, "integers"),
        ([[1, 2]], ValueError, "flat"),
    ],
)
def test_wrong_indices(encoding, indices, error, message):
    with open_video(encoding("h264 gop 12").path) as video:
        with pytest.raises(error, match=message):
            video.get_frames(indices)


def test_a_closed_reader_says_so(encoding):
    with open_video(encoding("h264 gop 12").path) as video:
        pass
    with pytest.raises(RuntimeError, match="is closed"):
        video.get_frames([0])


def test_another_thread_is_refused(encoding):
    errors = []
    with open_video(encoding("h264 gop 12").path) as video:

        def read():
            try:
                video.get_frames([0])
            except RuntimeError as error:
                errors.append(str(error))

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert "Open one reader in each thread" in errors[0]
        assert video.get_frames([0]).shape == (1, 64, 96, 3)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_a_forked_process_is_refused(encoding):
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with open_video(encoding("h264 gop 12").path) as video:

        def read():
            try:
                video.get_frames([0])
            except RuntimeError as error:
                sender.send(str(error))

        process = context.Process(target=read)
        process.start()
        process.join(timeout=30)
    assert receiver.poll() and "does not survive a fork" in receiver.recv()


def damage(source, target, frames):
    """Overwrites the packets of the given frames (by order in the file) with zeros."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size]
        for number in frames:
            packet = packets[number]
            data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    target.write_bytes(data)
    return target


def test_a_damaged_frame_is_replaced_by_the_one_before_it(encoding, video_folder, tools):
    source = encoding("mjpeg avi").path
    path = damage(source, video_folder / "damaged.avi", [20, 21])
    with open_video(path) as video:
        with pytest.warns(VideoDecodeWarning, match="2 of 60 frames are damaged"):
            frames = video.get_frames([19, 20, 21, 22, 40])
        assert [tools.read_number(frame) for frame in frames] == [19, 19, 19, 22, 40]
        assert tools.read_number(video.get_frames([41])[0]) == 41


def test_many_damaged_frames_are_an_error(encoding, video_folder):
    source = encoding("mjpeg avi").path
    path = damage(source, video_folder / "very_damaged.avi", range(10, 60))
    with open_video(path) as video:
        with pytest.raises(
            VideoDecodeError, match="frame 59 does not decode; 10 of the 60"
        ) as info:
            video.get_frames([5, 59])
    assert "\n" not in str(info.value)


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(VideoDecodeError("clip.mp4", "the file\nis empty")))
    assert str(error) == "clip.mp4: the file is empty"
    assert (error.path, error.reason) == ("clip.mp4", "the file is empty")
    assert isinstance(error, ValueError)
