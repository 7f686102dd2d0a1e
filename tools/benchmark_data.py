"""Measures how fast videos become clips, against what a user would take instead.

    python tools/benchmark.py data
    python tools/benchmark.py data --videos=a.mp4,b.mp4 --rounds=5

renders a 10 s video of 340x256 and one of 720p (or takes yours), and prints for each what a clip
costs: opening the file, decoding the frames, resizing them to a shorter side of 256. Contestants
are `open_video` in a loop, `VideoDataset` with one worker, and, where they import, decord,
torchcodec and OpenCV reading all frames, all with one thread. They take turns, one clip each a
round; medians over the rounds. Processor time counts all threads. The last columns are ratios to
the first row: above 1, it is faster.

Further tables: what encoding the video again with more key frames and what JPEG pictures bring,
what a second worker brings, and whether memory grows over many samples.
"""

import importlib
import os
import pathlib
import resource
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from absl import flags
from rich.console import Console
from rich.table import Table

FLAGS = flags.FLAGS
flags.DEFINE_list("videos", [], "data: your own videos instead of the rendered ones.")
flags.DEFINE_integer("samples", 10_000, "data: samples of the memory test.", lower_bound=100)

SHORT_SIDE = 256
SIZES = {"340x256": (340, 256), "720p": (1280, 720)}
# Clips in a data set of which one epoch is one turn.
EPOCH = 4


def benchmark_data(console: Console, rounds: int) -> None:
    """Prints all tables."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if FLAGS.videos:
            videos = {pathlib.Path(path).name: path for path in FLAGS.videos}
        else:
            videos = {name: render(folder / f"{name}.mp4", *size) for name, size in SIZES.items()}
        for name, path in videos.items():
            fast, shard = reencoded(path, folder), extracted(path, folder)
            for clip, indices in clips_of(path).items():
                show(console, f"{name}, {clip}", run(contestants(path, indices), rounds))
                results = run(prepared(path, fast, shard, indices), rounds)
                show_prepared(console, f"{name}, {clip}, prepared", results)
        for name, path in videos.items():
            show_workers(console, name, path, rounds)
        show_memory(console, folder)


def clips_of(path) -> dict[str, np.ndarray]:
    from keras_video.data import open_video, sample_uniform

    with open_video(path) as video:
        length = len(video)
    start = max(min(100, length - 63), 0)
    return {
        "8 frames of all": sample_uniform(length, 8)[0],
        "32 frames, every other": np.minimum(start + 2 * np.arange(32), length - 1),
    }


def contestants(path, indices: np.ndarray) -> dict[str, Callable[[], None]]:
    """Functions that each read one clip (the data set: `EPOCH` clips)."""
    found = {
        "open_video": lambda: read(path, indices),
        'VideoDataset, "bilinear"': dataset(path, indices),
        'open_video, size="decoder"': lambda: read(path, indices, scale_in_decoder=True),
        'VideoDataset, "decoder"': dataset(path, indices, interpolation="decoder"),
    }
    rivals = {
        "decord": ("decord", read_decord),
        "torchcodec": ("torchcodec", read_torchcodec),
        "torchcodec, its Resize": ("torchcodec", read_torchcodec_resized),
        "OpenCV, all frames": ("cv2", read_opencv),
    }
    for name, (module, function) in rivals.items():
        try:
            library = importlib.import_module(module)
            if module == "torchcodec":
                importlib.import_module("torchcodec.decoders")
                importlib.import_module("torch").set_num_threads(1)
        except (ImportError, OSError, RuntimeError):
            continue
        found[name] = lambda function=function, library=library: function(library, path, indices)
    return found


def read(path, indices, scale_in_decoder: bool = False) -> np.ndarray:
    from keras_video.data import open_video
    from keras_video.data.resizing import short_side_size

    with open_video(path) as video:
        if scale_in_decoder:
            return video.get_frames(indices, size=lambda *own: short_side_size(*own, SHORT_SIDE))
        return video.get_frames(indices, transform=shrink)


def shrink(frame: np.ndarray) -> np.ndarray:
    from keras_video.data import resize_short_side

    return resize_short_side(frame, SHORT_SIDE)


def read_decord(decord, path, indices) -> np.ndarray:
    video = decord.VideoReader(str(path), num_threads=1)
    return np.stack([shrink(frame) for frame in video.get_batch(indices).asnumpy()])


def read_torchcodec(torchcodec, path, indices) -> np.ndarray:
    video = open_torchcodec(torchcodec, path)
    frames = video.get_frames_at(indices.tolist()).data.numpy()
    return np.stack([shrink(frame) for frame in frames])


def read_torchcodec_resized(torchcodec, path, indices) -> np.ndarray:
    """As `read_torchcodec`, resized by FFmpeg's swscale as frames are decoded."""
    from keras_video.data.resizing import short_side_size

    meta = open_torchcodec(torchcodec, path).metadata
    size = short_side_size(meta.height, meta.width, SHORT_SIDE)
    resize = importlib.import_module("torchcodec.transforms").Resize(size)
    video = open_torchcodec(torchcodec, path, transforms=[resize])
    return video.get_frames_at(indices.tolist()).data.numpy()


def open_torchcodec(torchcodec, path, **settings):
    return torchcodec.decoders.VideoDecoder(
        str(path), dimension_order="NHWC", num_ffmpeg_threads=1, **settings
    )


def read_opencv(cv2, path, indices) -> np.ndarray:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    wanted, frames = set(indices.tolist()), {}
    number = 0
    while True:
        found, frame = capture.read()
        if not found:
            break
        if number in wanted:
            frames[number] = shrink(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        number += 1
    capture.release()
    return np.stack([frames[index] for index in indices.tolist()])


def dataset(path, indices, workers: int = 1, clips: int = EPOCH, interpolation: str = "bilinear"):
    """A function that runs one epoch of `VideoDataset` over copies of one video."""
    from keras_video.data import VideoDataset, VideoPreprocessor
    from keras_video.data.video_record import VideoRecord

    def take(length, num_frames, num_clips):
        return np.asarray(indices)[None]

    videos = VideoDataset(
        [VideoRecord(str(path), 0)] * clips,
        preprocessor=VideoPreprocessor(
            num_frames=len(indices), short_side=SHORT_SIDE, interpolation=interpolation
        ),
        sampler=take,
        batch_size=1,
        workers=workers,
        labels=["only"],
    )

    def epoch() -> None:
        for _ in videos:
            pass

    epoch.clips = clips
    return epoch


def reencoded(path, folder: pathlib.Path) -> pathlib.Path:
    from keras_video.data import reencode_video

    fast = folder / f"{pathlib.Path(path).stem}_gop12.mp4"
    reencode_video(path, fast, gop=12, short_side=SHORT_SIDE)
    return fast


def extracted(path, folder: pathlib.Path) -> str:
    from keras_video.data import VideoRecord, write_frame_shards

    target = folder / f"{pathlib.Path(path).stem}_shards"
    report = write_frame_shards([VideoRecord(str(path), 0)], target, short_side=SHORT_SIDE)
    return report.records[0].source


def prepared(path, fast, shard: str, indices) -> dict[str, Callable[[], None]]:
    """The clip from pictures, from a copy of GOP 12, and from the video itself."""
    return {
        "JPEG shard, short side 256": lambda: read(shard, indices),
        "GOP 12, short side 256": lambda: read(fast, indices),
        "the video itself": lambda: read(path, indices),
    }


def run(entries: dict[str, Callable], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds and processor seconds of a clip, the contestants taking turns."""
    for work in entries.values():
        work()
    times = {name: [] for name in entries}
    for _ in range(rounds):
        for name, work in entries.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            spent = (time.perf_counter() - wall, time.process_time() - cpu)
            times[name].append(np.array(spent) / getattr(work, "clips", 1))
    return {name: tuple(np.median(spent, axis=0)) for name, spent in times.items()}


def show(console: Console, title: str, results: dict[str, tuple[float, float]]) -> None:
    table = Table(title=title)
    for column in ("", "clips/s/core", "ms/clip", "CPU ms/clip", "wall ratio", "CPU ratio"):
        table.add_column(column, justify="right" if column else "left")
    first = next(iter(results.values()))
    for name, (wall, cpu) in results.items():
        numbers = [f"{1 / cpu:.1f}", f"{1e3 * wall:.1f}", f"{1e3 * cpu:.1f}"]
        table.add_row(name, *numbers, f"{wall / first[0]:.2f}", f"{cpu / first[1]:.2f}")
    console.print(table)


def show_prepared(console: Console, title: str, results: dict[str, tuple[float, float]]) -> None:
    show(console, title, results)
    *faster, (_, (video, _)) = results.items()
    gains = [f"{name}: {video / wall:.1f} times the video" for name, (wall, _) in faster]
    console.print("; ".join(gains))


def show_workers(console: Console, name: str, path, rounds: int) -> None:
    for clip, indices in clips_of(path).items():
        entries = {workers: dataset(path, indices, workers, clips=4 * EPOCH) for workers in (1, 2)}
        one, two = (wall for wall, _ in run(entries, max(rounds // 3, 1)).values())
        console.print(
            f"{name}, {clip}: VideoDataset, {1 / one:.1f} clips/s with one worker, "
            f"{1 / two:.1f} with two: {one / two:.2f} times"
        )


def show_memory(console: Console, folder: pathlib.Path) -> None:
    path = render(folder / "tiny.mp4", 96, 64, frames=32)
    work = dataset(path, np.arange(0, 32, 4), workers=2, clips=FLAGS.samples // 10)
    work()
    before = resident_bytes()
    for _ in range(9):
        work()
    growth = resident_bytes() / before - 1
    console.print(
        f"Memory: {before / 2**20:.0f} MiB after {FLAGS.samples // 10} samples, {growth:+.1%} "
        f"after {FLAGS.samples}"
    )


def resident_bytes() -> int:
    statistics = pathlib.Path("/proc/self/statm")
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def render(path: pathlib.Path, width: int, height: int, frames: int = 300) -> pathlib.Path:
    """Writes H.264 with x264's usual settings: a camera over a textured scene, with noise."""
    import av
    from PIL import Image

    rng = np.random.default_rng(0)
    scene = np.zeros((2 * height, 2 * width, 3), np.float32)
    for scale in (4, 8, 16, 32, 64, 128):
        noise = rng.normal(size=(2 * height // scale + 2, 2 * width // scale + 2, 3))
        for channel in range(3):
            layer = Image.fromarray(noise[..., channel].astype(np.float32))
            layer = layer.resize((2 * width, 2 * height), Image.Resampling.BICUBIC)
            scene[..., channel] += np.asarray(layer) * scale**0.6
    scene = (255 * (scene - scene.min()) / np.ptp(scene)).astype(np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "23", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            left = int(width / 2 * (1 + np.sin(number / 40)))
            top = int(height / 2 * (1 + np.cos(number / 55)))
            picture = scene[top : top + height, left : left + width].astype(np.int16)
            grain = rng.integers(-6, 7, (height // 2, width // 2, 1), np.int16)
            picture += grain.repeat(2, axis=0).repeat(2, axis=1)
            picture = np.clip(picture, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
