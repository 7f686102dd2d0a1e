"""A table of numbers that grows while a run goes on."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from keras_video.training.durable_files import write_durably


class CsvLog:
    """A CSV file with a `step` column: rows are appended, columns may come later.

    A line that a kill cut short is dropped when the next process appends or rewinds. One process
    at a time writes.

    Args:
        path: the file; it is made by the first row, in a folder that exists.

    Example:

    >>> log = CsvLog("runs/a/train.csv")
    >>> log.append({"step": 20, "loss": 5.9})
    >>> log.append({"step": 40, "loss": 5.2, "clips_per_second": 310.0})
    >>> log.columns()["loss"]
    [5.9, 5.2]
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        # The columns of the file once it is known to be whole.
        self._names: list[str] = []

    def append(self, row: Mapping[str, object]) -> None:
        """Appends a row; a name that is new becomes a column, empty in the rows before.

        Args:
            row: `{column: number, text or None}`. Floats are kept to 9 digits, as many as tell
                any two float32 numbers apart.

        Raises:
            OSError: if the file can't be written.
        """
        if not self._names or any(name not in self._names for name in row):
            names, rows, whole = self._read()
            added = [name for name in row if name not in names]
            if added or not whole:
                self._write([*names, *added], rows)
            self._names = [*names, *added]
        line = _lines(self._names, [{name: _text(value) for name, value in row.items()}])
        with open(self.path, "ab", buffering=0) as file:
            file.write(line)

    def rewind(self, step: int) -> None:
        """Drops the rows of later steps than `step`, and a line that was cut short."""
        names, rows, whole = self._read()
        kept = [row for row in rows if int(row["step"]) <= step]
        if len(kept) < len(rows) or not whole:
            self._write(names, kept)

    def columns(self) -> dict[str, list]:
        """Reads the table: `{column: values}`, numbers where they are, `None` where empty."""
        names, rows, _ = self._read()
        return {name: [_value(row[name]) for row in rows] for name in names}

    def _read(self) -> tuple[list[str], list[dict[str, str]], bool]:
        """Returns columns, rows, and whether the last line is whole."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return [], [], True
        end = text.rfind("\n") + 1
        reader = csv.DictReader(io.StringIO(text[:end], newline=""), restval="")
        rows = list(reader)
        return list(reader.fieldnames or ()), rows, end == len(text)

    def _write(self, names: list[str], rows: Iterable[Mapping[str, str]]) -> None:
        header = _lines(names, [dict(zip(names, names, strict=True))]) if names else b""
        write_durably(self.path, header + _lines(names, rows))


def _lines(names: list[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.DictWriter(lines, names, restval="", lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(value.split())
    number = float(value)
    return str(int(value)) if number.is_integer() else f"{number:.9g}"


def _value(text: str) -> int | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
