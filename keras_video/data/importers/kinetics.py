"""Kinetics-400, -600 and -700."""

import csv
import io
import os
from collections.abc import Sequence

from keras_video.data.importers.imported_videos import (
    ImportedVideos,
    VideoFinder,
    collect,
    read_text,
)

_COLUMNS = ("youtube_id", "time_start", "time_end")


def import_kinetics(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    split: str | None = None,
) -> ImportedVideos:
    """Reads a CSV file of Kinetics: `label,youtube_id,time_start,time_end,split`.

    Videos are found below `videos` in any folders, by the name that the usual download tools
    give, `<youtube_id>_<time_start>_<time_end>` with six digits for seconds, or `<youtube_id>`.

    Args:
        annotations: `train.csv`, `validate.csv` or `test.csv`, of Kinetics-400, -600 or -700.
        videos: folder of the videos, or of folders with their pictures.
        labels: the classes' names in order of their numbers, such as
            `keras_video.presets.load_labels("kinetics400")`; by default those of the file, sorted,
            which gives the same numbers wherever every class occurs.
        split: take only the rows with this in the column `split`.

    Returns:
        An `ImportedVideos`. Videos of a file without labels (the test's) have no class.

    Raises:
        ValueError: the file is not of this form, or not one of its videos is there.

    Example:

    >>> found = import_kinetics("k400/validate.csv", "k400/val/")
    >>> found.videos.write("k400/val.list")

    Reference:
        Kay et al., The Kinetics Human Action Video Dataset, 2017
        (https://arxiv.org/abs/1705.06950).
    """
    rows = list(csv.DictReader(io.StringIO(read_text(annotations))))
    if not rows or not set(_COLUMNS) <= set(rows[0]):
        raise ValueError(
            f"A CSV file of Kinetics has the columns {', '.join(_COLUMNS)}. Received: "
            f"{os.fspath(annotations)!r} with {', '.join(map(str, rows[0])) if rows else 'no rows'}"
        )
    if split is not None:
        known = sorted({row.get("split") or "" for row in rows})
        rows = [row for row in rows if row.get("split") == split]
        if not rows:
            raise ValueError(f"`split` must be one of {known}. Received: split={split!r}")
    # Some lists write the names of classes with underscores.
    entries = [(_names(row, annotations), _label(row)) for row in rows]
    if labels is None:
        labels = sorted({label for _, label in entries if label is not None})
    return collect(VideoFinder(videos), entries, labels)


def _names(row: dict, annotations) -> list[str]:
    try:
        start, end = (int(float(row[column])) for column in _COLUMNS[1:])
    except (TypeError, ValueError):
        raise ValueError(
            "`time_start` and `time_end` must be seconds. "
            f"Received: {row} in {os.fspath(annotations)!r}"
        ) from None
    video = row["youtube_id"]
    return [f"{video}_{start:06d}_{end:06d}", video]


def _label(row: dict) -> str | None:
    label = (row.get("label") or "").strip().strip('"')
    return label.replace("_", " ") if label else None
