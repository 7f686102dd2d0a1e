"""What the commands share: exit codes, arguments and their types, lists, models."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 1, 2, 130, 141
DEFAULT_PRESET = "pp_tsm_k400"
# `keras-video tag NAME`: what is none of these is a video.
SUBCOMMANDS = {
    "localize": ("train", "evaluate", "clips", "render"),
    "tag": ("train", "evaluate", "render"),
}


def with_subcommand(arguments: Sequence[str]) -> list[str]:
    """Turns `tag train ...` into the command `tag-train ...`, and leaves `tag clip.mp4` alone."""
    arguments = list(arguments)
    place = next((i for i, word in enumerate(arguments) if not word.startswith("-")), None)
    if place is None or arguments[place] not in SUBCOMMANDS:
        return arguments
    command, following = arguments[place], arguments[place + 1 : place + 2]
    if following and following[0] in SUBCOMMANDS[command]:
        arguments[place : place + 2] = [f"{command}-{following[0]}"]
    return arguments


def positive(text: str) -> int:
    """A whole number from 1."""
    value = int(text) if text.lstrip("+-").isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1. Received: {text}")
    return value


def natural(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0. Received: {text}")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to less than 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to less than 1. Received: {text}")
    return value


def load_model(preset: str, debug: bool = False):
    """Loads the model of a preset without TensorFlow's start-up messages."""
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(debug):
        from keras_video.models import VideoClassifier
    return VideoClassifier.from_preset(preset)


def find_all(sources: Sequence[str]) -> tuple[list[Path], list[tuple[str, OSError]]]:
    """Returns the videos that the arguments stand for, each once, and what stands for none."""
    from keras_video.data.find_videos import find_videos

    found, missing = [], []
    for source in sources:
        try:
            found += find_videos(source)
        except OSError as error:
            missing.append((source, error))
    return list(dict.fromkeys(found)), missing


def open_output(path: Path | None, videos: Sequence[Path]) -> contextlib.AbstractContextManager:
    """Opens the file of `--output` to write it; of nothing, nothing.

    Raises:
        ValueError: it is one of the videos.
    """
    if path is None:
        return contextlib.nullcontext()
    if path.exists() and any(video.exists() and path.samefile(video) for video in videos):
        raise ValueError(f"Results would overwrite a video. Received: --output {path}")
    return path.open("w", encoding="utf-8")


def require_decoder(name: str) -> None:
    """Raises at once what would else be said of every video: unknown, or not installed."""
    from keras_video.data import VideoDecodeError, open_video

    with contextlib.suppress(VideoDecodeError):
        open_video(b"", decoder=name)


def add_root(parser) -> None:
    """Adds `--root` to a command that reads lists."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="what the lists' relative paths start from (default: the folder of each list)",
    )


def add_decoder(parser) -> None:
    """Adds `--decoder`."""
    parser.add_argument("--decoder", metavar="NAME", help="decode with another reader: decord")


def read_lists(paths, root: str | None) -> dict:
    """The lists by name: the file's, or its path where two files have one name."""
    from keras_video.data.video_list import VideoList

    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f"A list is given twice. Received: {' '.join(names)}")
    if root is not None and "://" not in root and not Path(root).is_dir():
        raise ValueError(f"There is no such folder. Received: --root {root}")
    return {name: VideoList.read(path, root=root) for name, path in zip(names, paths, strict=True)}


def count_of(number: int, noun: str) -> str:
    """The number with its noun in singular or plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(record: dict) -> None:
    """Prints one JSON object, readable where the terminal can show it."""
    from keras_video.console import json_line

    print(json_line(record, sys.stdout.encoding))


def print_defects(console, defects, title: str) -> None:
    """Prints a table of `DatasetDefect`s, if there are any."""
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import printable

    if not defects:
        return
    table = Table(title, "Video", "Why")
    table.columns[1].overflow = table.columns[2].overflow = "fold"
    for defect in defects:
        where = defect.source or defect.split
        table.add_row(
            Text(defect.kind, "red"), Text(printable(where)), Text(printable(defect.reason))
        )
    console.print(table)
