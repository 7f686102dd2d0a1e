"""What a run shows while it goes on: a live line on a terminal, plain lines elsewhere."""

import bisect
import itertools
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from keras_video.console import make_console

# Columns with places and words of their own, and the one that only the CSV shows.
_PLACED = ("epoch", "step", "loss", "learning_rate", "clips_per_second", "data_wait", "seconds")
_REFRESH_SECONDS = 0.25


class TrainingProgress:
    """Shows epoch, step, losses, learning rate, clips/s, the wait for data and the time left.

    On a terminal one line below all others is redrawn; elsewhere every `train` is a plain line of
    its own. It goes to stderr, so that stdout stays free for results. When nobody reads it any
    more (a closed pipe or terminal), it falls silent and the run goes on.

    Args:
        num_epochs: how many epochs the run has.
        steps_per_epoch: how many train steps an epoch has; a list where epochs differ.
        console: a `rich` console; `None` for stderr.
        write: `False` for all workers but the first: nothing is shown.
        clock: a function that returns seconds.

    Example:

    >>> with TrainingProgress(num_epochs=50, steps_per_epoch=600) as progress:
    ...     progress.start(step=0)
    ...     progress.advance(20)  # after any step: cheap
    ...     progress.train({"step": 20, "epoch": 1, "loss": 5.9, "learning_rate": 0.01})
    ...     progress.validation({"step": 600, "epoch": 1, "loss": 5.1, "top1": 0.08})
    ...     progress.message("saved runs/a/checkpoints/step_000000600")
    """

    def __init__(
        self,
        num_epochs: int,
        steps_per_epoch: int | Sequence[int],
        *,
        console: Console | None = None,
        write: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.num_epochs = num_epochs
        if isinstance(steps_per_epoch, int):
            steps_per_epoch = [steps_per_epoch] * num_epochs
        self._ends = list(itertools.accumulate(steps_per_epoch))
        self._console = console or make_console(stderr=True)
        self._silent = not write
        self._clock = clock
        self._live: Live | None = None
        self._numbers = ""
        self._drawn = float("-inf")
        self.start(step=0)

    def start(self, step: int) -> None:
        """Tells from which step the run starts or resumes; the time left is reckoned from here."""
        self._started = self._clock()
        self._first = self._step = step

    def advance(self, step: int) -> None:
        """Tells how many train steps are done. Cheap: a terminal is redrawn four times a second."""
        self._step = step
        if self._live is not None and self._clock() - self._drawn >= _REFRESH_SECONDS:
            self._show(self._redraw)

    def train(self, row: Mapping[str, object]) -> None:
        """Shows a row of the train log (see `RunDirectory.log_train`)."""
        self._step = int(row["step"])
        self._numbers = _train_text(row)
        if self._live is not None:
            self._show(self._redraw)
        else:
            self.message(self._line(row.get("epoch")))

    def validation(self, row: Mapping[str, object]) -> None:
        """Shows a row of the validation log as a line that stays."""
        place = self._place(row["step"], row.get("epoch"))
        self.message(f"{place}  validation  {_numbers(row, but=('epoch', 'step'))}")

    def message(self, text: str) -> None:
        """Shows a line that stays."""
        self._show(lambda: self._console.print(Text(text), soft_wrap=True))

    def __enter__(self) -> "TrainingProgress":
        if self._console.is_terminal and not self._silent:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                # What goes to a pipe must not be drawn above the line instead.
                redirect_stdout=sys.stdout.isatty(),
            )
            self._show(self._live.start)
        return self

    def __exit__(self, *exception) -> None:
        if self._live is not None:
            self._show(self._redraw)
        self._stop()

    def _redraw(self) -> None:
        epoch = min(bisect.bisect_right(self._ends, self._step) + 1, self.num_epochs)
        line = Text(self._line(epoch), no_wrap=True, overflow="ellipsis")
        self._live.update(line, refresh=True)
        self._drawn = self._clock()

    def _show(self, draw: Callable[[], None]) -> None:
        if self._silent:
            return
        try:
            draw()
        except OSError:
            self._silent = True
            self._stop()

    def _stop(self) -> None:
        live, self._live = self._live, None
        if live is None:
            return
        try:
            live.stop()
        except OSError:
            self._silent = True

    def _line(self, epoch: int | None) -> str:
        parts = (self._place(self._step, epoch), self._left(), self._numbers)
        return "  ".join(part for part in parts if part)

    def _place(self, step: int, epoch: int | None) -> str:
        place = f"step {step}/{self._ends[-1]}"
        return place if epoch is None else f"epoch {epoch}/{self.num_epochs}  {place}"

    def _left(self) -> str:
        done = self._step - self._first
        if done <= 0:
            return ""
        left = self._ends[-1] - self._step
        return f"{_duration((self._clock() - self._started) / done * left)} left"


def _train_text(row: Mapping[str, object]) -> str:
    words = [f"loss {row['loss']:.4f}"] if "loss" in row else []
    words += [text] if (text := _numbers(row, _PLACED)) else []
    if "learning_rate" in row:
        words.append(f"learning rate {row['learning_rate']:.3g}")
    if "clips_per_second" in row:
        words.append(f"{row['clips_per_second']:.1f} clips/s")
    if "data_wait" in row:
        words.append(f"waiting for data {row['data_wait']:.0%}")
    return "  ".join(words)


def _numbers(row: Mapping[str, object], but: tuple[str, ...]) -> str:
    return "  ".join(
        f"{name} {value}" if isinstance(value, (int, str)) else f"{name} {value:.4f}"
        for name, value in row.items()
        if name not in but and value is not None
    )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours}:{minutes:02}" if days else f"{hours}:{minutes:02}:{seconds:02}"
