"""The benchmark of multigrid training measures every shape, and adds up what they cost."""

import io
import pathlib

import pytest
from rich.console import Console

from keras_video.models import SlowFast
from keras_video.training import Multigrid

TOOLS = pathlib.Path(__file__).parents[1] / "tools"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    import benchmark_multigrid

    return benchmark_multigrid


@pytest.mark.slow
def test_every_shape_is_trained_on(benchmark):
    model = SlowFast(3, num_frames=None, depth=14, width=8)
    schedule = Multigrid(num_frames=16, size=32, long_cycle=(), short_cycle=(0.5,))
    shapes = [visit.shape for visit in schedule.visits()]
    assert [shape[:3] for shape in shapes] == [(4, 16, 16), (1, 16, 32)]
    times = benchmark.step_times(model, shapes, batch=1, rounds=1)
    assert len(times) == 2
    assert all(seconds > 0 for seconds in times)
    assert int(model.optimizer.iterations) == 2 * len(shapes)


def test_the_schedule_costs_what_its_clips_cost(benchmark):
    visits = Multigrid().visits()
    # A step takes twice as long in a full clip, so its clips cost twice their share.
    times = [2.0 if visit.shape.batch_factor == 1 else 1.0 for visit in visits]
    console = Console(width=120, file=io.StringIO())
    benchmark.show(console, "Multigrid", visits, times, batch=2)
    printed = console.file.getvalue()
    assert "[32, 8, 112]" in printed
    plain_seconds = 2.0 / 2
    seconds = sum(
        visit.epochs * step / (2 * visit.shape.batch_factor)
        for visit, step in zip(visits, times, strict=True)
    )
    assert (
        f"the schedule's 358 epochs take as long as {seconds / plain_seconds:.0f} plain ones"
        in (" ".join(printed.split()))
    )
    assert f"{358 * plain_seconds / seconds:.2f} times as many clips a second" in printed
