"""What a run shows: one live line on a terminal, plain lines elsewhere, and no trouble."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from keras_video.training import TrainingProgress

ROW = {
    "step": 40,
    "epoch": 1,
    "loss": 5.25,
    "learning_rate": 0.0125,
    "distillation": np.float32(0.5),
    "clips_per_second": 812.34,
    "data_wait": 0.031,
    "seconds": 3.0,
}


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def run(console, clock):
    with TrainingProgress(
        num_epochs=2, steps_per_epoch=100, console=console, clock=clock
    ) as progress:
        progress.start(step=20)
        clock.now = 30
        progress.advance(40)
        progress.train(ROW)
        progress.validation({"step": 100, "epoch": 1, "loss": 4.5, "top1": 0.125, "videos": 50})
        progress.message("saved [checkpoint]")


def test_plain_lines_where_there_is_no_terminal(clock):
    text = io.StringIO()
    run(Console(file=text, width=40), clock)
    assert text.getvalue().splitlines() == [
        "epoch 1/2  step 40/200  0:04:00 left  loss 5.2500  distillation 0.5000  "
        "learning rate 0.0125  812.3 clips/s  waiting for data 3%",
        "epoch 1/2  step 100/200  validation  loss 4.5000  top1 0.1250  videos 50",
        "saved [checkpoint]",
    ]


def test_a_live_line_on_terminals(clock):
    text = io.StringIO()
    run(Console(file=text, width=160, force_terminal=True), clock)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.getvalue())
    last = [line for line in re.split(r"[\r\n]+", shown) if line.strip()][-1]
    assert last.startswith("epoch 1/2  step 40/200  0:04:00 left  loss 5.2500  distillation")
    assert "epoch 1/2  step 100/200  validation  loss 4.5000  top1 0.1250  videos 50" in shown


def test_a_narrow_terminal_cuts_the_live_line(clock):
    text = io.StringIO()
    with TrainingProgress(
        2, 100, console=Console(file=text, width=40, force_terminal=True), clock=clock
    ) as progress:
        progress.train(ROW)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.getvalue())
    assert {line for line in re.split(r"[\r\n]+", shown) if line.strip()} == {
        "epoch 1/2  step 40/200  0:00:00 left  l…"
    }


def test_the_line_is_not_drawn_for_every_step(clock):
    text = io.StringIO()
    console = Console(file=text, width=160, force_terminal=True)
    with TrainingProgress(1, 1000, console=console, clock=clock) as progress:
        progress.advance(1)
        before = len(text.getvalue())
        for step in range(2, 1000):
            progress.advance(step)
        assert len(text.getvalue()) == before
        clock.now = 1
        progress.advance(1000)
        assert len(text.getvalue()) > before


def test_other_workers_show_nothing(clock):
    text = io.StringIO()
    with TrainingProgress(1, 100, console=Console(file=text), write=False) as progress:
        progress.advance(1)
        progress.train(ROW)
        progress.validation({"step": 1})
        progress.message("saved")
    assert text.getvalue() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_run_goes_on_when_nobody_reads(terminal, clock):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

        flush = write

    console = Console(file=Gone(), force_terminal=terminal)
    console.on_broken_pipe = lambda: (_ for _ in ()).throw(BrokenPipeError)
    run(console, clock)


RUN = """
from keras_video.training import TrainingProgress
with TrainingProgress(1, 1000) as progress:
    for step in range(1, 1001):
        progress.train({"step": step, "epoch": 1, "loss": 1.0})
print("done")
"""


def test_a_closed_pipe_does_not_end_a_run():
    read, write = os.pipe()
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=write, text=True) as process:
        os.close(write)
        os.read(read, 20)
        os.close(read)
        output = process.stdout.read()
    assert (process.returncode, output) == (0, "done\n")


def test_lines_do_not_mix_with_results():
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n"
    assert len(done.stderr.splitlines()) == 1000
