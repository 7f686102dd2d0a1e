"""`python tools/benchmark.py boundary_matching`: the layer against a matrix of all samples.

The published form of the layer multiplies a sequence with a matrix of all samples of all segments,
and applies a 3-D convolution, here a matrix product, to the result. Both forms take a sequence of
128 channels and give 512; forward, and with the gradients of the sequence and the kernel.
"""

import numpy as np
from benchmark_contestants import Competitor
from rich.console import Console
from rich.table import Table

STEPS = (100, 200)
FORMS = ("BoundaryMatching", "dense matrix")


def benchmark_matching(console: Console, rounds: int, batch: int, threads: int) -> None:
    """Prints the table.

    Args:
        console: where to.
        rounds: calls of each form, which take turns.
        batch: sequences.
        threads: of each.
    """
    title = f"BoundaryMatching(512), batch {batch}, {threads} threads, medians of {rounds} rounds"
    table = Table(title=title)
    columns = ("steps", "what", "form", "s", "CPU s", "MiB", "times faster", "memory")
    for column in columns:
        table.add_column(column, justify="left" if column in ("what", "form") else "right")
    for steps in STEPS:
        for what in ("forward", "training"):
            task = {"how": what, "steps": steps, "batch": batch, "threads": threads}
            ours, theirs = contestants = compete(rounds, task)
            for contestant in contestants:
                wall, cpu = np.median(contestant.wall), np.median(contestant.cpu)
                numbers = [f"{wall:.3f}", f"{cpu:.3f}", f"{contestant.memory / 2**20:.0f}"]
                ratios = ["", ""]
                if contestant is ours:
                    faster, less = np.median(theirs.wall) / wall, ours.memory / theirs.memory
                    ratios = [f"{faster:.1f}", f"{less:.2f}"]
                table.add_row(str(steps), what, contestant.task["library"], *numbers, *ratios)
        table.add_section()
    console.print(table)
    console.print("MiB: what a process needs at most beyond what TensorFlow takes at its start")


def compete(rounds: int, task: dict) -> list[Competitor]:
    """Lets the two forms take turns, each in a process of its own."""
    contestants = []
    try:
        for form in FORMS:
            contestants.append(
                Competitor("benchmark_matching_worker.py", {"library": form, **task})
            )
            contestants[-1].wait_until_warm()
        for _ in range(rounds):
            for contestant in contestants:
                contestant.run()
    finally:
        for contestant in contestants:
            contestant.close()
    if contestants[0].parameters != contestants[1].parameters:
        raise RuntimeError("The two forms differ in their number of parameters.")
    return contestants
