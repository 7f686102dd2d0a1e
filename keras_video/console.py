"""What the commands put on the terminal: tables, progress, errors, and silence."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table
from rich.text import Text


def make_console(stderr: bool = False) -> Console:
    """Returns a console on stdout or stderr; a reader that goes away raises `BrokenPipeError`."""
    return _PipeConsole(stderr=stderr, highlight=False)


class _PipeConsole(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def window_grid(windows: Sequence) -> Table:
    """Returns the times of `WindowPrediction`s and the best class of each, for a cell."""
    grid = Table.grid(padding=(0, 1))
    for column in ("right", "right", "right", "left"):
        grid.add_column(justify=column, no_wrap=column == "right", overflow="fold")
    for window in windows:
        best = window.predictions[0]
        times = [f"{time:.1f} s" for time in (window.start, window.end)]
        grid.add_row(*times, f"{best['score']:.1%}", Text(best["label"]))
    return grid


def score_grid(predictions: Sequence[dict]) -> Table:
    """Returns the scores and the labels of a video's predictions, for a cell of a table."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for prediction in predictions:
        grid.add_row(f"{prediction['score']:.1%}", Text(prediction["label"]))
    return grid


class ResultWriter:
    """Writes the result of one video after the other.

    Args:
        as_json: print one JSON object a line, at once, instead of a table at the end.
        output: a file that receives the JSON lines in any case.
    """

    def __init__(self, as_json: bool, output: TextIO | None = None):
        self._as_json = as_json
        self._output = output
        self._table = Table("Video", "Predictions")
        self._table.columns[0].overflow = "fold"
        self.written = self.failed = 0

    def add(self, path: str | Path, result: list | Exception) -> None:
        """Writes the predictions or the `WindowPrediction`s for a video, or why there are none."""
        self.written += 1
        record = {"path": str(path)}
        if isinstance(result, Exception):
            self.failed += 1
            record["error"] = getattr(result, "reason", None) or one_line(result)
            report(f"{path}: {record['error']}")
            cell = Text(record["error"], "red")
        elif hasattr(result[0], "to_json"):
            record["windows"] = [window.to_json() for window in result]
            cell = window_grid(result)
        else:
            record["predictions"] = result
            cell = score_grid(result)
        if self._as_json:
            print(json_line(record, sys.stdout.encoding), flush=True)
        else:
            self._table.add_row(Text(printable(path)), cell, end_section=True)
        if self._output:
            print(json_line(record, self._output.encoding), file=self._output, flush=True)

    def finish(self) -> None:
        """Prints the table, if there is one."""
        if self._table.rows:
            make_console().print(self._table)


def json_line(record: dict, encoding: str | None = None) -> str:
    """Returns a record as JSON, readable where the encoding allows it and escaped where not."""
    line = json.dumps(record, ensure_ascii=False)
    try:
        line.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(record)
    return line


def printable(text: str | Path) -> str:
    """Returns a text for people; names of files may hold bytes that are no text."""
    encoding = sys.stdout.encoding or "utf-8"
    return str(text).encode(encoding, "backslashreplace").decode(encoding)


@contextlib.contextmanager
def progress_bar(total: int, task: str = "Recognising") -> Iterator[Callable[[], None]]:
    """Draws a bar on stderr for two videos or more; yields the function that advances it."""
    progress = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=make_console(stderr=True),
        disable=total < 2,
        # What goes to a pipe must not be drawn above the bar instead.
        redirect_stdout=sys.stdout.isatty(),
    )
    number = progress.add_task(task, total=total)

    def advance() -> None:
        progress.start()
        progress.advance(number)

    # In a log, an error before the first step stands alone.
    if progress.console.is_terminal:
        progress.start()
    try:
        yield advance
    finally:
        if progress.live.is_started:
            progress.stop()


def report(message: str, kind: str = "error") -> None:
    """Prints an error, or a warning, the way command-line tools do."""
    print(f"keras-video: {kind}: {message}", file=sys.stderr)


def one_line(error: BaseException) -> str:
    """Returns the message of an error without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def quiet_tensorflow(debug: bool = False) -> Iterator[None]:
    """Keeps TensorFlow's start-up messages, which no setting silences, off the terminal."""
    if debug or "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as said:
        stderr = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            yield
        except Exception:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
