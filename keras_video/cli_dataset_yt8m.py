"""The command `keras-video dataset yt8m`."""

import argparse
from pathlib import Path

from keras_video.cli_common import EXIT_FAILED, count_of, positive, print_defects, print_json

_SHOWN_SHARDS = 10


def add_yt8m(command) -> None:
    """Adds `keras-video dataset yt8m`."""
    yt8m = command(
        "yt8m",
        _yt8m,
        "find bad shards and videos of YouTube-8M",
        description="Reads every record of YouTube-8M's TFRecords below a folder, frame-level or "
        "video-level, or of the part of them that is there. Named are files with other names, cut "
        "off or with wrong checksums; videos without labels or frames, with class numbers or "
        "features that are none of the set's, and videos that occur twice, above all in two "
        "splits. The exit code is 1 if there is any defect.",
    )
    yt8m.add_argument("root", type=Path, metavar="ROOT", help="the folder, with its subfolders")
    yt8m.add_argument(
        "--split",
        choices=("train", "validate", "test"),
        help="look at this one only (default: all that are there)",
    )
    yt8m.add_argument(
        "--complete", action="store_true", help="shards that are not there are defects, too"
    )
    yt8m.add_argument(
        "--quick",
        action="store_true",
        help="read the beginnings of the records only, no checksums: seconds instead of hours",
    )
    yt8m.add_argument("--workers", type=positive, metavar="N", help="threads (default: all cores)")
    yt8m.add_argument("--json", action="store_true", help="print the report as JSON")


def _yt8m(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, progress_bar
    from keras_video.data.youtube8m_check import SPLITS, check_youtube8m

    report = check_youtube8m(
        options.root,
        splits=(options.split,) if options.split else SPLITS,
        complete=options.complete,
        checksums=not options.quick,
        workers=options.workers,
        progress=lambda total: progress_bar(total, "Checking"),
    )
    code = EXIT_FAILED if report.defects else 0
    if options.json:
        print_json(report.to_dict())
        return code
    console = make_console()
    print_defects(console, report.defects, "Defect")
    _print_splits(console, report.splits)
    found = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
    console.print(f"Defects: {found or 'none'}", style="bold red" if found else "bold green")
    return code


def _print_splits(console, splits: dict) -> None:
    from rich.table import Table

    from keras_video.data.youtube8m_check import NUM_SHARDS

    table = Table("Split")
    for column in ("shards", "videos", "frames", "labels a video", "GB"):
        table.add_column(column, justify="right")
    for name, split in splits.items():
        table.add_row(
            name,
            f"{split.shards} of {NUM_SHARDS}",
            f"{split.records}",
            f"{split.frames}",
            f"{split.labels / max(split.records, 1):.2f}",
            f"{split.bytes / 1e9:.3f}",
        )
    console.print(table)
    for name, split in splits.items():
        if 0 < len(split.missing) <= _SHOWN_SHARDS:
            shards = count_of(len(split.missing), "shard")
            text = f"{name}: {shards} not there: {', '.join(split.missing)}"
            console.print(text, soft_wrap=True, markup=False)
