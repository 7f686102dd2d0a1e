"""Measures how fast a video becomes features, against a loop that a user would write.

    python tools/benchmark.py extraction
    python tools/benchmark.py extraction tsn pp_tsn --videos=a.mp4 --dtypes=float32 --rounds=5

renders videos of 10 s, 340x256 and 720p (or takes yours), and takes every fourth frame through the
ResNet-50 of TSN, or of PP-TSN. Contestants: `FeatureExtractor`; the parts of it, decoding
in one thread and the network on frames that are there already; and, where they import, torch with
decord or OpenCV: frames in batches of 32, decoded, resized to a shorter side of 256, cropped to 224
and normalised, then the same network in torch, channels last, one after the other. They take turns,
one video each a round; medians over the rounds. Processor time counts all threads.
"""

import pathlib
import tempfile

import numpy as np
from absl import flags
from benchmark_contestants import Competitor, compete
from benchmark_data import SIZES, render
from rich.console import Console
from rich.table import Table

FLAGS = flags.FLAGS
flags.DEFINE_integer("stride", 4, "extraction: frames from step to step.", lower_bound=1)

NETWORKS = ("tsn", "pp_tsn")
OURS = ["extractor", "decoding alone", "network alone"]
THEIRS = ["decord", "OpenCV"]


def benchmark_extraction(
    console: Console, models: list[str], dtypes: list[str], rounds: int, threads: int
) -> None:
    """Prints a table for each network and video."""
    from keras_video.data import open_video

    if set(models) - set(NETWORKS):
        raise ValueError(f"Extraction is measured with {NETWORKS}. Received: {models}")
    with tempfile.TemporaryDirectory() as folder:
        if FLAGS.videos:
            videos = {pathlib.Path(path).name: path for path in FLAGS.videos}
        else:
            folder = pathlib.Path(folder)
            videos = {name: render(folder / f"{name}.mp4", *size) for name, size in SIZES.items()}
        for name, path in videos.items():
            with open_video(path) as video:
                frames = len(video)
            for model in models or ["tsn"]:
                results = {}
                for dtype in dtypes:
                    task = {"model": model, "dtype": dtype, "threads": threads}
                    task |= {"video": str(path), "stride": FLAGS.stride}
                    worker = "benchmark_extraction_worker.py"
                    results[dtype] = compete(worker, OURS, THEIRS, rounds, **task)
                title = f"{model}, {name}, every {FLAGS.stride} of {frames} frames, "
                title += f"{threads} threads, medians of {rounds} rounds"
                show(console, title, -(-frames // FLAGS.stride), results)


def show(console: Console, title: str, frames: int, results: dict[str, list[Competitor]]) -> None:
    """Prints medians, and ratios to the faster one of torch's."""
    table = Table(title=title)
    for column in ("precision", "how", "frames/s", "s", "CPU s", "wall", "CPU"):
        table.add_column(column, justify="left" if column in ("precision", "how") else "right")
    for dtype, contestants in results.items():
        rivals = [c for c in contestants if c.task["library"] == "torch"]
        best = min(rivals, key=lambda c: np.median(c.wall), default=None)
        for contestant in contestants:
            wall, cpu = np.median(contestant.wall), np.median(contestant.cpu)
            ratios = ["", ""]
            if best is not None and "alone" not in contestant.name:
                ratios = [f"{wall / np.median(best.wall):.2f}", f"{cpu / np.median(best.cpu):.2f}"]
            numbers = [f"{frames / wall:.1f}", f"{wall:.2f}", f"{cpu:.2f}"]
            table.add_row(dtype, contestant.name, *numbers, *ratios)
        table.add_section()
    console.print(table)
