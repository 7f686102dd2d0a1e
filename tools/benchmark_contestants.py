"""Contestants of a benchmark that take turns, and the table of what they needed."""

import importlib.util
import json
import pathlib
import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from keras_video.inference.contestant import Contestant, take_turns

TOOLS = pathlib.Path(__file__).parent


class Competitor(Contestant):
    """A script of this folder that runs one task.

    Args:
        worker: name of a script that ends in `benchmark_worker.take_turns`.
        task: what it gets, as JSON; has `library`, `how` and `threads`.
    """

    def __init__(self, worker: str, task: dict):
        self.task = task
        command = [sys.executable, TOOLS / worker, json.dumps(task)]
        super().__init__(command, f"{task['library']} {task['how']}", task["threads"])

    def wait_until_warm(self) -> dict:
        said = super().wait_until_warm()
        self.parameters = said["parameters"]
        return said

    @property
    def wall(self) -> list[float]:
        return [each["wall"] for each in self.measured]

    @property
    def cpu(self) -> list[float]:
        return [each["cpu"] for each in self.measured]

    @property
    def memory(self) -> int:
        return self.measured[-1]["memory"]


def compete(
    worker: str, ours: list[str], theirs: list[str], rounds: int, **task
) -> list[Competitor]:
    """Lets keras_video in each of the ways `ours`, and torch if installed, take turns."""
    entries = [("keras", how) for how in ours]
    if importlib.util.find_spec("torch"):
        entries += [("torch", how) for how in theirs]
    contestants = []
    try:
        for library, how in entries:
            # One after the other: warming up takes all cores.
            contestant = Competitor(worker, {"library": library, "how": how, **task})
            try:
                contestant.wait_until_warm()
            except RuntimeError as error:
                print(f"Left out: {error}", file=sys.stderr)
                contestant.close()
                continue
            contestants.append(contestant)
        if len({contestant.parameters for contestant in contestants}) > 1:
            raise RuntimeError("The contestants' networks differ in their number of parameters.")
        take_turns(contestants, rounds)
    finally:
        for contestant in contestants:
            contestant.close()
    return contestants


def show(console: Console, title: str, batch: int, results: dict[str, list[Competitor]]) -> None:
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
