"""`keras-video benchmark`: what a video costs in each runtime, on this machine."""

import argparse
import tempfile
from pathlib import Path

from keras_video.cli_common import DEFAULT_PRESET, EXIT_FAILED, positive

# Of these, `all` are those whose packages are installed.
ALL = ("keras", "saved_model", "onnxruntime", "openvino", "openvino:bfloat16", "litert")
FORMATS = {
    "saved_model": "saved_model",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "litert": "litert",
}


def add_benchmark(command) -> None:
    """Adds `benchmark`."""
    benchmark = command(
        "benchmark",
        _benchmark,
        "measure a preset in several runtimes",
        description="Exports a preset to each runtime and measures how long a video takes from "
        "file to answer: decoding, resizing and cropping, network. The runtimes take turns, each "
        "in a process of its own; medians over the rounds.",
    )
    benchmark.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME_OR_DIR",
        help="what to measure (default: %(default)s)",
    )
    benchmark.add_argument(
        "--runtimes",
        default="all",
        metavar="LIST",
        help="such as keras,openvino:bfloat16,onnxruntime:int8; `all` (default) for "
        f"{','.join(ALL)}",
    )
    benchmark.add_argument(
        "--video", metavar="FILE", help="what to classify (default: a rendered one)"
    )
    benchmark.add_argument(
        "--calibration", nargs="+", metavar="PATH", help="videos that int8 is calibrated with"
    )
    benchmark.add_argument("--rounds", type=positive, default=15, metavar="N")
    benchmark.add_argument(
        "--threads", type=positive, metavar="N", help="of each runtime (default: all cores)"
    )
    benchmark.add_argument("--json", action="store_true", help="print one JSON object a runtime")


def _benchmark(options: argparse.Namespace) -> int:
    from keras_video.console import quiet_tensorflow, report
    from keras_video.data import open_video
    from keras_video.inference.compare_runtimes import compare_runtimes

    chosen = _chosen(options.runtimes)
    if options.video:
        open_video(options.video).close()
    with tempfile.TemporaryDirectory(prefix="keras_video_benchmark_") as folder:
        with quiet_tensorflow(options.debug):
            video = options.video or _rendered(Path(folder))
            entries, refused = _entries(options, chosen, Path(folder))
            times = compare_runtimes(entries, video, options.rounds, options.threads)
    for name, reason in refused.items():
        report(f"{name} is left out: {reason}", "warning")
    for each in times:
        if each.error:
            report(f"{each.entry.name} is left out: {each.error}", "warning")
    times = [each for each in times if not each.error]
    _show(options, video, times)
    asked = options.runtimes != "all"
    return EXIT_FAILED if not times or (asked and len(times) < len(chosen)) else 0


def _chosen(runtimes: str) -> list[tuple[str, str]]:
    """Runtimes and their precisions."""
    names = ALL if runtimes == "all" else runtimes.split(",")
    chosen = []
    for name in names:
        runtime, _, precision = name.strip().partition(":")
        if runtime not in ("keras", *FORMATS):
            raise ValueError(
                f"Runtimes are {', '.join(('keras', *FORMATS))}, each with `:precision` if it is "
                f"not float32. Received: --runtimes {runtimes}"
            )
        chosen.append((runtime, precision or "float32"))
    return list(dict.fromkeys(chosen))


def _entries(options: argparse.Namespace, chosen, folder: Path) -> tuple[list, dict[str, str]]:
    """The entries, and what could not be exported with the reasons."""
    from keras_video.console import one_line
    from keras_video.export import export_model
    from keras_video.inference.compare_runtimes import RuntimeEntry
    from keras_video.presets import load_preset

    # Once for all exports; a preset that does not load ends the command.
    model = load_preset(options.preset)
    entries, refused = [], {}
    for runtime, precision in chosen:
        if runtime == "keras":
            entries.append(RuntimeEntry(options.preset, runtime, precision))
            continue
        entry = RuntimeEntry(str(folder / f"{runtime}_{precision}"), runtime, precision)
        try:
            export_model(
                model,
                entry.model,
                FORMATS[runtime],
                precision=precision,
                calibration=options.calibration,
            )
        except (ValueError, ImportError) as error:
            refused[entry.name] = one_line(error)
        else:
            entries.append(entry)
    return entries, refused


def _rendered(folder: Path) -> Path:
    from keras_video.data import render_motion_clip, write_video

    path = folder / "rendered.mp4"
    write_video(path, render_motion_clip("moving left", seed=0, num_frames=250, size=320), fps=25)
    return path


def _show(options: argparse.Namespace, video, times) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import json_line, make_console, printable

    if options.json:
        for each in times:
            record = {"runtime": each.entry.runtime, "precision": each.entry.precision}
            stages = ("decode", "preprocess", "network", "total", "cpu", "memory", "views")
            print(json_line(record | {stage: getattr(each, stage) for stage in stages}))
        return
    if not times:
        return
    shown = f"{options.video}" if options.video else "a rendered video, 10 s of 320x320"
    title = f"{options.preset}, {shown}, {times[0].views} views, {options.rounds} rounds"
    table = Table(
        title=Text(printable(title)),
        caption="Milliseconds a video; memory in MiB; ratio of the totals to the first",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
    )
    for column in ("Runtime", "Precision"):
        table.add_column(column, no_wrap=True)
    for column in ("Decode", "Resize", "Network", "Total", "CPU", "Memory", "Ratio"):
        table.add_column(column, justify="right")
    for each in times:
        seconds = (each.decode, each.preprocess, each.network, each.total, each.cpu)
        table.add_row(
            each.entry.runtime,
            each.entry.precision,
            *(f"{1000 * value:.1f}" for value in seconds),
            "" if each.memory is None else f"{each.memory / 2**20:.0f}",
            f"{each.total / times[0].total:.2f}",
        )
    make_console().print(table)
