"""The command `keras-video evaluate`."""

import argparse
from pathlib import Path

from keras_video.cli_common import (
    EXIT_FAILED,
    add_decoder,
    add_root,
    count_of,
    load_model,
    print_json,
    read_lists,
    require_decoder,
)

_WORST_CLASSES = 10


def add_evaluate(command) -> None:
    """Adds `keras-video evaluate`."""
    evaluate = command(
        "evaluate",
        _evaluate,
        "measure a preset on a list of videos",
        description="Measures top-1 and top-5 on every video of a list. A video that can't be read "
        "counts as wrong and is named, and the exit code is 1. Classes are matched by name where "
        "the list has a labels.txt.",
    )
    evaluate.add_argument("--preset", required=True, metavar="NAME_OR_DIR")
    evaluate.add_argument("--list", required=True, type=Path, metavar="FILE", help="val.list")
    add_root(evaluate)
    evaluate.add_argument(
        "--views",
        metavar="CLIPSxCROPS",
        help="such as 10x3; crops are 1, 3 or 10 (default: the preset's own)",
    )
    add_decoder(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print the result as JSON")


def _evaluate(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, progress_bar, report
    from keras_video.data.video_pipeline import parse_views
    from keras_video.evaluation import evaluate_videos

    if options.views:
        parse_views(options.views)
    if options.decoder:
        require_decoder(options.decoder)
    (videos,) = read_lists([options.list], options.root).values()
    model = load_model(options.preset, options.debug)
    with progress_bar(len(videos), "Evaluating") as advance:
        result = evaluate_videos(
            model, videos, views=options.views, decoder=options.decoder, advance=advance
        )
    for failure in result.failures:
        report(f"{failure['path']}: {failure['error']}")
    if options.json:
        about = {"preset": options.preset, "list": str(options.list)}
        print_json({**about, **result.to_dict()})
    else:
        _print_evaluation(make_console(), result)
    if result.failures:
        report(f"{len(result.failures)} of {result.videos} videos failed; they count as wrong")
        return EXIT_FAILED
    return 0


def _print_evaluation(console, result) -> None:
    from rich.table import Table
    from rich.text import Text

    worst = [row for row in result.classes if row["top1"] < 1][:_WORST_CLASSES]
    if worst:
        table = Table("Worst classes", "Videos", "Top-1", "Taken for")
        table.columns[1].justify = table.columns[2].justify = "right"
        for row in worst:
            taken = [f"{label} ({count})" for label, count in row["taken_for"].items()][:3]
            if row["failed"]:
                taken.append(f"not read ({row['failed']})")
            cells = (Text(row["label"]), str(row["videos"]), f"{row['top1']:.1%}")
            table.add_row(*cells, Text(", ".join(taken)))
        console.print(table)
    console.print(
        f"Top-1 {100 * result.top1:.2f} %, top-{result.k} {100 * result.topk:.2f} % of "
        f"{count_of(result.videos, 'video')}, {count_of(result.views, 'view')} each",
        style="bold",
    )
