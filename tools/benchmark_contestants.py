"""Contestants of a benchmark that take turns, and the table of what they needed."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from rich.console import Console
from rich.table import Table

TOOLS = pathlib.Path(__file__).parent


class Contestant:
    """A process that runs one task: `run()` lets it work once and notes its times.

    Args:
        worker: name of a script in this folder that ends in `benchmark_worker.take_turns`.
        task: what it gets, as JSON; has `library`, `how` and `threads`.
    """

    def __init__(self, worker: str, task: dict):
        self.task = task
        self.wall, self.cpu = [], []
        environment = {**os.environ, "OMP_NUM_THREADS": str(task["threads"])}
        self.process = subprocess.Popen(
            [sys.executable, TOOLS / worker, json.dumps(task)],
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
        done = self._read()
        self.wall.append(done["wall"])
        self.cpu.append(done["cpu"])
        self.memory = done["memory"]

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


def compete(
    worker: str, ours: list[str], theirs: list[str], rounds: int, **task
) -> list[Contestant]:
    """Lets keras_video in each of the ways `ours`, and torch if installed, take turns."""
    entries = [("keras", how) for how in ours]
    if importlib.util.find_spec("torch"):
        entries += [("torch", how) for how in theirs]
    contestants = []
    try:
        for library, how in entries:
            # One after the other: warming up takes all cores.
            contestant = Contestant(worker, {"library": library, "how": how, **task})
            try:
                contestant.wait_until_warm()
            except RuntimeError as error:
                print(f"Left out: {error}", file=sys.stderr)
                contestant.close()
                continue
            contestants.append(contestant)
        if len({contestant.parameters for contestant in contestants}) > 1:
            raise RuntimeError("The contestants' networks differ in their number of parameters.")
        for _ in range(rounds):
            for contestant in contestants:
                contestant.run()
    finally:
        for contestant in contestants:
            contestant.close()
    return contestants


def show(console: Console, title: str, batch: int, results: dict[str, list[Contestant]]) -> None:
    """Prints medians for each precision, and ratios to the faster one of torch's."""
    table = Table(title=title)
    columns = ("precision", "how", "clips/s", "s/clip", "CPU s/clip", "GiB", "wall", "CPU")
    for column in columns:
        table.add_column(column, justify="left" if column in ("precision", "how") else "right")
    for dtype, contestants in results.items():
        rivals = [c for c in contestants if c.task["library"] == "torch"]
        best = min(rivals, key=lambda c: np.median(c.wall), default=None)
        for contestant in contestants:
            wall, cpu = np.median(contestant.wall), np.median(contestant.cpu)
            ratios = ["", ""]
            if best is not None:
                ratios = [f"{wall / np.median(best.wall):.2f}", f"{cpu / np.median(best.cpu):.2f}"]
            numbers = [f"{batch / wall:.2f}", f"{wall / batch:.3f}", f"{cpu / batch:.3f}"]
            memory = f"{contestant.memory / 2**30:.1f}"
            table.add_row(dtype, contestant.name, *numbers, memory, *ratios)
        table.add_section()
    console.print(table)
    console.print("GiB: peak memory of the process, or on a GPU what was allocated there")
    if any(c.task["library"] == "torch" for row in results.values() for c in row):
        console.print("wall, CPU: ratio to the better of torch eager and torch compile")
