"""Label lists: one class name a line, in class-id order."""

from importlib import resources
from pathlib import Path

from keras_video.presets.errors import PresetError, did_you_mean, one_line


def load_labels(name: str) -> list[str]:
    """Returns the class names of a dataset, in class-id order.

    Args:
        name: `"kinetics400"` (400 names; *archery* is class 5) or `"ucf101"` (101 names).

    Returns:
        A list of names.

    Raises:
        PresetError: if no list has this name.

    Example:

    >>> keras_video.presets.load_labels("kinetics400")[5]
    'archery'
    """
    folder = resources.files("keras_video.presets") / "labels"
    names = sorted(file.name[:-4] for file in folder.iterdir() if file.name.endswith(".txt"))
    if name not in names:
        raise PresetError(
            f"Unknown label list.{did_you_mean(name, names)} Known: {', '.join(names)}. "
            f"Received: {name!r}"
        )
    return parse_labels((folder / f"{name}.txt").read_text(encoding="utf-8"))


def parse_labels(text: str) -> list[str]:
    """Splits the text of a label file into names."""
    return text.rstrip("\n").split("\n") if text.strip() else []


def read_labels(path: Path) -> list[str]:
    """Reads a label file.

    Raises:
        PresetError: if it isn't UTF-8 text.
    """
    try:
        # Editors on Windows mark UTF-8 with three bytes at the start.
        return parse_labels(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PresetError(
            f"{path.name} can't be read: {one_line(error)}. Received: {str(path)!r}"
        ) from error


def write_labels(path: Path, labels) -> None:
    """Writes a label file.

    Raises:
        PresetError: if a label isn't one non-empty line of text.
    """
    labels = list(labels)
    for label in labels:
        if not isinstance(label, str) or not label.strip() or "\n" in label or "\r" in label:
            raise PresetError(f"A label must be one line of text. Received: {label!r}")
    path.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
