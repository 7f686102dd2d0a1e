"""`compare_runtimes`: what a video costs in each runtime, split into its stages."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_video.inference.contestant import Contestant, take_turns


@dataclass(frozen=True)
class RuntimeEntry:
    """A model in a runtime.

    Attributes:
        model: a preset, or the directory of an exported model.
        runtime: see `open_runtime`.
        precision: of the exported model; Keras computes a preset in it.
    """

    model: str
    runtime: str
    precision: str = "float32"

    @property
    def name(self) -> str:
        return f"{self.runtime} {self.precision}"


@dataclass(frozen=True)
class RuntimeTimes:
    """Medians over the rounds, in seconds a video.

    Attributes:
        entry: what was measured.
        decode: opening the video, decoding, conversion to RGB.
        preprocess: resizing and cropping.
        network: all views of the video.
        cpu: processor time of all stages, summed over threads.
        memory: peak of the process in bytes, or `None`.
        views: of a video.
        error: the reason if it was left out; the numbers are 0 then.
    """

    entry: RuntimeEntry
    decode: float = 0.0
    preprocess: float = 0.0
    network: float = 0.0
    cpu: float = 0.0
    memory: int | None = None
    views: int = 0
    error: str | None = None

    @property
    def total(self) -> float:
        return self.decode + self.preprocess + self.network


def compare_runtimes(
    entries: Sequence[RuntimeEntry],
    video: str | os.PathLike,
    rounds: int = 15,
    threads: int | None = None,
    others: Sequence[Contestant] = (),
    started: Callable[[RuntimeEntry], None] = lambda entry: None,
) -> list[RuntimeTimes]:
    """Measures how long a video takes from file to answer.

    Each runtime works in a process of its own; they take turns, one video each a round.

    Args:
        entries: models in runtimes; one that does not start is reported, the others go on.
        video: path of a video.
        rounds: how often each classifies it. Defaults to 15.
        threads: that each may use; `None` for all cores.
        others: further contestants that take turns with them; the caller closes them.
        started: called before each is started.

    Returns:
        A `RuntimeTimes` for each entry.

    Raises:
        RuntimeError: one ended on the way; the message has what it printed last.

    Example:

    >>> entries = [RuntimeEntry("pp_tsm_k400", "keras"), RuntimeEntry("exported", "openvino")]
    >>> for times in compare_runtimes(entries, "clip.mp4"):
    ...     print(times.entry.name, times.network)
    """
    threads = threads or os.cpu_count() or 1
    running, failed, views = {}, {}, {}
    try:
        for entry in dict.fromkeys(entries):
            started(entry)
            task = {"model": str(entry.model), "runtime": entry.runtime}
            task.update(precision=entry.precision, video=str(video), threads=threads)
            command = [sys.executable, "-m", "keras_video.inference.runtime_contestant"]
            contestant = Contestant([*command, json.dumps(task)], entry.name, threads)
            try:
                # One after the other: warming up takes all cores.
                views[entry] = contestant.wait_until_warm()["views"]
                running[entry] = contestant
            except RuntimeError as error:
                failed[entry] = str(error).strip().splitlines()[-1]
                contestant.close()
        take_turns([*running.values(), *others], rounds)
    finally:
        for contestant in running.values():
            contestant.close()
    return [
        RuntimeTimes(entry, error=failed[entry])
        if entry in failed
        else _times(entry, running[entry].measured, views[entry])
        for entry in entries
    ]


def _times(entry: RuntimeEntry, measured: list[dict], views: int) -> RuntimeTimes:
    stages = ("decode", "preprocess", "network", "cpu")
    medians = {stage: float(np.median([each[stage] for each in measured])) for stage in stages}
    return RuntimeTimes(entry, **medians, memory=measured[-1]["memory"], views=views)
