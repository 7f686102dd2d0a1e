"""`python tools/benchmark.py multigrid`: what multigrid training of SlowFast saves.

Measured: a training step for every shape that the schedule visits, in turns, with `--batch` clips
in a plain batch. Computed from that: the time of the whole schedule, data left out. A schedule's
batches have about the same number of pixels whatever their shape; how fast they are depends little
on how many clips a plain batch has, so one that fits into memory stands for the published 64.
"""

import os
import time

import numpy as np
from rich.console import Console
from rich.table import Table

# PaddleVideo and PySlowFast train SlowFast without multigrid for 196 epochs.
PLAIN_EPOCHS = 196


def benchmark_multigrid(
    console: Console, batch: int, size: int, threads: int, dtype: str, rounds: int
) -> None:
    """Prints the table of SlowFast 8x8 and the default schedule.

    Args:
        console: where to.
        batch: clips in a plain batch.
        size: height and width of a full clip.
        threads: of TensorFlow.
        dtype: `"float32"`, `"bfloat16"` or `"float16"`.
        rounds: steps of each shape.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    from keras_video.models import SlowFast
    from keras_video.training import Multigrid

    schedule = Multigrid(size=size)
    model = SlowFast(num_frames=None, dtype=None if dtype == "float32" else f"mixed_{dtype}")
    visits = schedule.visits()
    times = step_times(model, [visit.shape for visit in visits], batch, rounds)
    title = (
        f"Training SlowFast on [{batch}, {schedule.num_frames}, {size}] by multigrid, {dtype}, "
        f"{threads} threads, medians of {rounds} rounds"
    )
    show(console, title, visits, times, batch)


def step_times(model, shapes: list, batch: int, rounds: int) -> list[float]:
    """Median seconds of a training step for each shape, which take turns.

    Args:
        model: takes clips of any length and size.
        shapes: `BatchShape`s.
        batch: clips in a plain batch.
        rounds: steps of each shape.
    """
    import keras
    import tensorflow as tf

    from keras_video.training import SGD, TrainStep
    from keras_video.training.sub_batches import sub_batches

    model.compile(
        SGD(1e-4, momentum=0.9, l2=1e-4), keras.losses.SparseCategoricalCrossentropy(True)
    )
    model.optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)

    def prepare(shape):
        clips = (batch * shape.batch_factor, shape.num_frames, shape.size, shape.size, 3)
        data = rng.integers(0, 256, clips, "uint8"), rng.integers(0, model.num_classes, clips[0])
        data = tuple(map(tf.convert_to_tensor, data))
        function = tf.function(TrainStep(model), autograph=False)
        with sub_batches(model, shape.num_splits):
            function(data)  # Traced here, with these sub-batches.
        return lambda: function(data)[0].numpy()

    steps = [prepare(shape) for shape in shapes]
    times = [[] for _ in steps]
    for _ in range(rounds):
        for step, seconds in zip(steps, times, strict=True):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
    return [float(np.median(seconds)) for seconds in times]


def show(console: Console, title: str, visits: list, times: list[float], batch: int) -> None:
    """Prints the shapes, and the schedule against plain training.

    Args:
        console: where to.
        title: of the table.
        visits: of `Multigrid.visits()`, the full clips among them.
        times: seconds of a step in each shape.
        batch: clips in a plain batch.
    """
    table = Table(title=title)
    for column in ("batch, frames, side", "sub-batches", "epochs", "s/step", "clips/s", "times"):
        table.add_column(column, justify="right")
    rates = [
        batch * visit.shape.batch_factor / seconds
        for visit, seconds in zip(visits, times, strict=True)
    ]
    plain = plain_rate(visits, rates)
    for visit, seconds, rate in zip(visits, times, rates, strict=True):
        shape = visit.shape
        clips = f"[{batch * shape.batch_factor}, {shape.num_frames}, {shape.size}]"
        numbers = (f"{visit.epochs:.1f}", f"{seconds:.2f}", f"{rate:.2f}", f"{rate / plain:.1f}")
        table.add_row(clips, str(shape.num_splits), *numbers)
    console.print(table)
    epochs = sum(visit.epochs for visit in visits)
    cost = sum(visit.epochs / rate for visit, rate in zip(visits, rates, strict=True))
    console.print(
        "times: as many clips a second as plain training, the last row. From these steps follows:\n"
        f"the schedule's {epochs:.0f} epochs take as long as {cost * plain:.0f} plain ones: "
        f"{epochs / (cost * plain):.2f} times as many clips a second;\n"
        f"that is {PLAIN_EPOCHS / (cost * plain):.2f} times as fast as the plain recipe's "
        f"{PLAIN_EPOCHS} epochs."
    )


def plain_rate(visits: list, rates: list[float]) -> float:
    """Clips a second of the shape whose batches are the plain ones."""
    return next(
        rate
        for visit, rate in zip(visits, rates, strict=True)
        if visit.shape.batch_factor == visit.shape.num_splits == 1
    )
