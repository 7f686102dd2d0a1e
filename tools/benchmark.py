"""Measures keras_video against what a user would take instead, on this machine.

    python tools/benchmark.py pp_tsm --batch=1

prints clips a second of PP-TSM's forward pass in float32 and bfloat16, as a compiled function
(`keras_video.export.make_inference_function`), through `predict_on_batch` and through `predict`;
and where torch is installed the ratio to the same network in torch, channels last, the better of
eager and torch.compile. Ours takes raw uint8 frames and normalises them; torch gets frames that are
floats already.

Every contestant runs in its own process with the same number of threads; they take turns, one call
each a round, so that a slow moment of the machine hits all of them. Medians over the rounds.
Processor time is the sum over all threads; below 1 in the last two columns, keras_video is faster.

    python tools/benchmark.py data

measures decoding, see `benchmark_data.py`.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from absl import app, flags
from benchmark_data import benchmark_data
from rich.console import Console
from rich.table import Table

MODELS = ("tsn", "tsm", "pp_tsn", "pp_tsm")
WORKER = pathlib.Path(__file__).parent / "benchmark_worker.py"

FLAGS = flags.FLAGS
flags.DEFINE_integer("batch", 1, "Clips in a call.", lower_bound=1)
flags.DEFINE_integer("size", 224, "Height and width of the frames.", lower_bound=32)
flags.DEFINE_integer("threads", os.cpu_count(), "Threads of each contestant.", lower_bound=1)
flags.DEFINE_integer("rounds", 15, "Calls of each contestant.", lower_bound=1)
flags.DEFINE_list("dtypes", ["float32", "bfloat16"], "Precisions.")


class Contestant:
    """A worker process: `run()` lets it work once and notes its times."""

    def __init__(self, **task):
        self.task = task
        self.wall, self.cpu = [], []
        environment = {**os.environ, "OMP_NUM_THREADS": str(task["threads"])}
        self.process = subprocess.Popen(
            [sys.executable, WORKER, json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    @property
    def name(self) -> str:
        return f"{self.task['library']} {self.task['how']}"

    def wait_until_warm(self) -> None:
        self.parameters = self._read()["parameters"]

    def run(self) -> None:
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        times = self._read()
        self.wall.append(times["wall"])
        self.cpu.append(times["cpu"])

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()

    def _read(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} failed:\n{self.process.stderr.read()[-2000:]}")


def measure(model: str, dtype: str) -> list[Contestant]:
    """Lets all contestants of a precision take turns."""
    entries = [("keras", "function"), ("keras", "predict_on_batch"), ("keras", "predict")]
    if importlib.util.find_spec("torch"):
        entries += [("torch", "eager"), ("torch", "compile")]
    common = dict(
        model=model, dtype=dtype, batch=FLAGS.batch, size=FLAGS.size, threads=FLAGS.threads
    )
    contestants = []
    for library, how in entries:
        # One after the other: warming up takes all cores.
        contestant = Contestant(library=library, how=how, **common)
        try:
            contestant.wait_until_warm()
        except RuntimeError as error:
            print(f"Left out: {error}", file=sys.stderr)
            continue
        contestants.append(contestant)
    if len({contestant.parameters for contestant in contestants}) != 1:
        raise RuntimeError("The contestants' networks differ in their number of parameters.")
    for _ in range(FLAGS.rounds):
        for contestant in contestants:
            contestant.run()
    for contestant in contestants:
        contestant.close()
    return contestants


def show(console: Console, model: str, results: dict[str, list[Contestant]]) -> None:
    table = Table(
        title=f"{model}, batch {FLAGS.batch}, 8 x {FLAGS.size} x {FLAGS.size}, "
        f"{FLAGS.threads} threads, medians of {FLAGS.rounds} rounds"
    )
    for column in ("precision", "how", "clips/s", "s/clip", "CPU s/clip", "wall", "CPU"):
        style = "left" if column in ("precision", "how") else "right"
        table.add_column(column, justify=style)
    for dtype, contestants in results.items():
        rivals = [c for c in contestants if c.task["library"] == "torch"]
        best = min(rivals, key=lambda c: np.median(c.wall), default=None)
        for contestant in contestants:
            wall, cpu = np.median(contestant.wall), np.median(contestant.cpu)
            ratios = ["", ""]
            if best is not None:
                ratios = [f"{wall / np.median(best.wall):.2f}", f"{cpu / np.median(best.cpu):.2f}"]
            seconds = [f"{FLAGS.batch / wall:.2f}", f"{wall / FLAGS.batch:.3f}"]
            seconds.append(f"{cpu / FLAGS.batch:.3f}")
            table.add_row(dtype, contestant.name, *seconds, *ratios)
        table.add_section()
    console.print(table)
    if any(c.task["library"] == "torch" for row in results.values() for c in row):
        console.print("wall, CPU: ratio to the better of torch eager and torch compile")


def main(arguments):
    chosen = arguments[1:]
    unknown = set(chosen) - {*MODELS, "data"}
    if unknown or not chosen:
        raise app.UsageError(f"Name models of {MODELS}, or data. Received: {chosen}")
    console = Console(width=100)
    if "data" in chosen:
        benchmark_data(console, FLAGS.rounds)
    for model in (name for name in chosen if name != "data"):
        show(console, model, {dtype: measure(model, dtype) for dtype in FLAGS.dtypes})


if __name__ == "__main__":
    app.run(main)
