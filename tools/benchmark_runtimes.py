"""`python tools/benchmark.py runtimes`: a model in every runtime, from file to answer.

The model has random weights and the preprocessing of its published preset. It is exported to each
format, and one video is classified in each runtime, by turns, in processes of their own:
opening and decoding, resizing and cropping, the network. Torch, channels last, computes the
network only; the last column compares with the better of eager and torch.compile.
"""

import pathlib
import tempfile

import numpy as np
from benchmark_contestants import Competitor
from benchmark_models import MODELS
from rich.console import Console
from rich.table import Table

ENTRIES = (
    ("keras", None, "float32"),
    ("keras", None, "bfloat16"),
    ("saved_model", "saved_model", "float32"),
    ("onnxruntime", "onnx", "float32"),
    ("onnxruntime", "onnx", "int8"),
    ("openvino", "openvino", "float32"),
    ("openvino", "openvino", "bfloat16"),
    ("openvino", "openvino", "int8"),
    ("litert", "litert", "float32"),
    ("litert", "litert", "int8"),
)


def benchmark_runtimes(
    console: Console, model: str, torch_ways: list[str], rounds: int, size: int, threads: int
) -> None:
    """Prints the table of one model.

    Args:
        console: where to.
        model: its name in `benchmark_models.MODELS`.
        torch_ways: `"eager"`, `"compile"`.
        rounds: how often each works.
        size: height and width of the frames.
        threads: of each contestant.
    """
    from keras_video.inference import compare_runtimes

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        entries = _entries(console, model, size, folder)
        rivals = []
        try:
            for how in torch_ways:
                task = {"model": model, "dtype": "float32", "batch": 1, "size": size}
                task.update(library="torch", how=how, threads=threads)
                rivals.append(Competitor("benchmark_worker.py", task))
                rivals[-1].wait_until_warm()
            times = compare_runtimes(entries, folder / "0.mp4", rounds, threads, others=rivals)
        finally:
            for rival in rivals:
                rival.close()
    _show(console, model, size, threads, rounds, times, rivals)


def _entries(console: Console, model: str, size: int, folder: pathlib.Path) -> list:
    from keras_video.data import VideoPreprocessor, render_motion_clip, write_video
    from keras_video.export import export_model
    from keras_video.inference import RuntimeEntry

    videos = [folder / f"{seed}.mp4" for seed in range(8)]
    for seed, path in enumerate(videos):
        write_video(path, render_motion_clip("moving left", seed, num_frames=250, size=320))
    network = MODELS[model].build(size, None)
    # At their initial zeros, offsets vanish from the graph.
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if weight.path.endswith(("beta", "moving_mean")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    network.preprocessor = VideoPreprocessor(
        MODELS[model].num_frames, short_side=size * 8 // 7, crop_size=size
    )
    network.save_to_preset(folder / "preset")
    entries = []
    for runtime, format, precision in ENTRIES:
        directory = folder / "preset"
        if format is not None:
            directory = folder / f"{format}_{precision}"
            try:
                export_model(network, directory, format, precision=precision, calibration=videos)
            except ValueError as error:
                console.print(f"{format} {precision} is left out: {error}", markup=False)
                continue
        entries.append(RuntimeEntry(str(directory), runtime, precision))
    return entries


def _show(console, model, size, threads, rounds, times, rivals) -> None:
    shape = MODELS[model].shape(size)
    table = Table(title=f"{model}, {shape}, {threads} threads, medians of {rounds} rounds")
    for column in ("runtime", "precision"):
        table.add_column(column)
    for column in ("decode", "preprocess", "network", "total", "CPU", "GiB", "network / torch"):
        table.add_column(column, justify="right")
    best = min((np.median(rival.wall) for rival in rivals), default=None)
    for each in times:
        if each.error:
            table.add_row(each.entry.runtime, each.entry.precision, each.error)
            continue
        table.add_row(
            each.entry.runtime,
            each.entry.precision,
            *(f"{s:.3f}" for s in (each.decode, each.preprocess, each.network)),
            f"{each.total:.3f}",
            f"{each.cpu:.3f}",
            "" if each.memory is None else f"{each.memory / 2**30:.1f}",
            "" if best is None else f"{each.network / best:.2f}",
        )
    for rival in rivals:
        wall, memory = np.median(rival.wall), f"{rival.memory / 2**30:.1f}"
        cells = (f"{wall:.3f}", "", f"{np.median(rival.cpu):.3f}", memory, f"{wall / best:.2f}")
        table.add_row(rival.name, "float32", "", "", *cells)
    console.print(table)
    console.print("seconds a video; CPU: of all stages and threads")
