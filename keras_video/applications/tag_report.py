"""`tag_report`: how well each tag is recognised."""

import csv
import os
from collections.abc import Sequence

import numpy as np

from keras_video.metrics import average_precision_per_class

COLUMNS = (
    "tag",
    "number",
    "videos",
    "average_precision",
    "threshold",
    "precision",
    "recall",
    "f1",
)


def tag_report(
    labels: np.ndarray, scores: np.ndarray, thresholds, names: Sequence[str]
) -> list[dict]:
    """A row for each tag, in the order of their numbers.

    Args:
        labels: which video has which tag, `(videos, tags)` of 0 and 1.
        scores: probabilities, of the same shape.
        thresholds: from which score on a tag is given, `(tags,)` or one for all.
        names: of the tags.

    Returns:
        Rows with `tag`, its `number`, how many `videos` have it, the `average_precision` of its
        ranking, its `threshold`, and with that `precision`, `recall` and `f1`. `None` where there
        is none: no video has the tag, or no video was given it.

    Example:

    >>> tag_report(np.array([[1], [0]]), np.array([[0.9], [0.3]]), 0.5, ["red"])
    [{'tag': 'red', 'number': 0, 'videos': 1, 'average_precision': 1.0, ..., 'f1': 1.0}]
    """
    labels, scores = np.asarray(labels) > 0, np.asarray(scores)
    thresholds = np.broadcast_to(np.asarray(thresholds, "float64"), labels.shape[1:])
    precisions = average_precision_per_class(labels, scores)
    given = scores >= thresholds
    rows = []
    for number, name in enumerate(names):
        positives, chosen = int(labels[:, number].sum()), int(given[:, number].sum())
        right = int((labels[:, number] & given[:, number]).sum())
        rows.append(
            {
                "tag": name,
                "number": number,
                "videos": positives,
                "average_precision": float(precisions[number]) if positives else None,
                "threshold": float(thresholds[number]),
                "precision": right / chosen if chosen else None,
                "recall": right / positives if positives else None,
                "f1": 2 * right / (positives + chosen) if positives else None,
            }
        )
    return rows


def summarize_report(rows: Sequence[dict], labels: np.ndarray, scores: np.ndarray) -> dict:
    """The numbers of all tags together.

    Args:
        rows: from `tag_report`.
        labels, scores: as there.

    Returns:
        `videos`, `tags` that some video has, `map` and `macro_f1` over these, and `micro_f1` of all
        decisions at once.
    """
    labels = np.asarray(labels) > 0
    given = np.asarray(scores) >= np.array([row["threshold"] for row in rows])
    known = [row for row in rows if row["videos"]]
    decided = labels.sum() + given.sum()
    return {
        "videos": len(labels),
        "tags": len(known),
        "map": _mean([row["average_precision"] for row in known]),
        "macro_f1": _mean([row["f1"] for row in known]),
        "micro_f1": float(2 * (labels & given).sum() / decided) if decided else None,
    }


def write_report(path: str | os.PathLike, rows: Sequence[dict]) -> None:
    """Writes the rows as CSV, numbers with four digits."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _short(value) for key, value in row.items()})


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _short(value):
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else value
