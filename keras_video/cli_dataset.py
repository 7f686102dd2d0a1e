"""The commands `keras-video dataset ...` and `keras-video evaluate`."""

import argparse
import random
import sys
from pathlib import Path

from keras_video.cli_common import (
    DEFAULT_PRESET,
    EXIT_FAILED,
    load_model,
    natural,
    positive,
    require_decoder,
    share,
)

_SHOWN_CLASSES = 20
_WORST_CLASSES = 10


def add_dataset(command) -> None:
    """Adds the commands of `keras-video dataset`."""
    _add_prepare(command)
    _add_check(command)
    _add_browse(command)


def _add_prepare(command) -> None:
    prepare = command(
        "prepare",
        _prepare,
        "folder of videos for each class -> train.list, val.list, labels.txt",
        description="Opens every video of a folder that has one folder for each class, and writes "
        "train.list, val.list, labels.txt and report.json. Videos that can't be read, are "
        "damaged or short, and copies are left out and named. With --gop, videos are encoded once "
        "more for fast access; a run that was stopped goes on where it was.",
    )
    prepare.add_argument("folder", type=Path, metavar="FOLDER")
    prepare.add_argument("--out", required=True, type=Path, metavar="DIR", help="where to write")
    prepare.add_argument(
        "--val",
        type=share,
        default=0.2,
        metavar="SHARE",
        help="share of each class for val.list, 0 for none (default: %(default)s)",
    )
    prepare.add_argument(
        "--gop",
        type=positive,
        metavar="N",
        help="encode videos again, as H.264 with a key frame every N frames; 12 is a good choice",
    )
    prepare.add_argument(
        "--short-side",
        type=positive,
        metavar="N",
        help="with --gop: make larger videos smaller, to N pixels on the shorter side",
    )
    _add_min_frames(prepare)
    prepare.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="which videos go to val.list"
    )
    _add_workers(prepare)
    prepare.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_check(command) -> None:
    check = command(
        "check",
        _check,
        "find bad videos, copies and leaks between lists",
        description="Opens every video of the lists and names those that can't be read, are "
        "damaged or short, copies within a list, and copies between lists, renamed or encoded "
        "again. Training's list comes first. The exit code is 1 if there is any defect.",
    )
    check.add_argument("lists", nargs="+", type=Path, metavar="LIST", help="train.list val.list")
    _add_root(check)
    _add_min_frames(check)
    check.add_argument(
        "--every-frame", action="store_true", help="decode all frames, not eight of each video"
    )
    _add_decoder(check)
    _add_workers(check)
    check.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_browse(command) -> None:
    browse = command(
        "browse",
        _browse,
        "write a page with the clips that a model will see",
        description="Writes one HTML page with clips of a list as training sees them: sampled, "
        "resized, cropped and augmented. The page needs no other file.",
    )
    browse.add_argument("list", type=Path, metavar="LIST")
    browse.add_argument("--out", required=True, type=Path, metavar="FILE", help="page.html")
    _add_root(browse)
    browse.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME_OR_DIR",
        help="whose sampling, sizes and crops; its weights are not read (default: %(default)s)",
    )
    browse.add_argument(
        "--count", type=positive, default=24, metavar="N", help="clips (default: %(default)s)"
    )
    browse.add_argument(
        "--epoch", type=natural, default=0, metavar="N", help="of the random choices"
    )
    browse.add_argument("--seed", type=natural, default=0, metavar="N", help="of training")
    browse.add_argument(
        "--evaluation", action="store_true", help="as evaluation sees the videos, not training"
    )


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
    _add_root(evaluate)
    evaluate.add_argument(
        "--views",
        metavar="CLIPSxCROPS",
        help="such as 10x3; crops are 1, 3 or 10 (default: the preset's own)",
    )
    _add_decoder(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_root(parser) -> None:
    parser.add_argument(
        "--root", metavar="DIR", help="what the lists' relative paths start from (default: the "
        "folder of each list)",
    )  # fmt: skip


def _add_min_frames(parser) -> None:
    parser.add_argument(
        "--min-frames",
        type=positive,
        default=8,
        metavar="N",
        help="videos with fewer frames are short (default: %(default)s)",
    )


def _add_decoder(parser) -> None:
    parser.add_argument("--decoder", metavar="NAME", help="decode with another reader: decord")


def _add_workers(parser) -> None:
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="threads (default: all cores)"
    )


def _prepare(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, progress_bar
    from keras_video.data.dataset_preparation import prepare_dataset

    report = prepare_dataset(
        options.folder,
        options.out,
        val_fraction=options.val,
        gop=options.gop,
        short_side=options.short_side,
        min_frames=options.min_frames,
        seed=options.seed,
        workers=options.workers,
        progress=lambda task, total: progress_bar(total, task),
    )
    if options.json:
        _print_json(report.to_dict())
        return 0
    console = make_console()
    _print_defects(console, report.left_out, "Left out")
    _print_classes(console, report.classes, ("train", "val"))
    if options.gop:
        console.print(f"Encoded: {report.encoded}, already there: {report.reused}")
    console.print(
        f"{report.train} videos to train, {report.val} to validate, "
        f"{len({defect.source for defect in report.left_out})} left out: {options.out}",
        style="bold",
        soft_wrap=True,
        markup=False,
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, progress_bar
    from keras_video.data.dataset_check import check_dataset

    if options.decoder:
        require_decoder(options.decoder)
    splits = _read_lists(options.lists, options.root)
    with progress_bar(sum(map(len, splits.values())), "Checking") as advance:
        report = check_dataset(
            splits,
            min_frames=options.min_frames,
            every_frame=options.every_frame,
            decoder=options.decoder or "pyav",
            workers=options.workers,
            advance=advance,
        )
    code = EXIT_FAILED if report.defects else 0
    if options.json:
        _print_json(report.to_dict())
        return code
    console = make_console()
    _print_defects(console, report.defects, "Defect")
    _print_classes(console, report.classes, tuple(splits))
    for name in splits:
        text = f"{name}: {report.videos[name]} videos, {report.frames[name]} frames"
        console.print(text, soft_wrap=True, markup=False)
    found = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
    console.print(f"Defects: {found or 'none'}", style="bold red" if found else "bold green")
    return code


def _browse(options: argparse.Namespace) -> int:
    from keras_video.console import quiet_tensorflow, report

    (videos,) = _read_lists([options.list], options.root).values()
    with quiet_tensorflow(options.debug):
        from keras_video.data.video_dataset import VideoDataset
    from keras_video.data.dataset_browsing import browse_dataset

    if options.evaluation:
        # Lists are often sorted by class.
        order = random.Random(options.seed).sample(range(len(videos)), len(videos))
        chosen = set(order[: options.count])
        videos = videos.select(chosen.__contains__)
    dataset = VideoDataset(
        videos,
        preset=options.preset,
        training=not options.evaluation,
        seed=options.seed,
        batch_size=min(8, options.count),
        last_batch="keep",
        max_failures=len(videos),
    )
    written = browse_dataset(
        dataset, options.out, options.count, options.epoch, title=str(options.list)
    )
    print(f"{written} clips: {options.out}")
    if dataset.failures:
        failed = len(dataset.failures)
        report(f"{failed} video{'s' if failed > 1 else ''} could not be read")
        return EXIT_FAILED
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, progress_bar, report
    from keras_video.evaluation import evaluate_videos

    if options.decoder:
        require_decoder(options.decoder)
    (videos,) = _read_lists([options.list], options.root).values()
    model = load_model(options.preset, options.debug)
    with progress_bar(len(videos), "Evaluating") as advance:
        result = evaluate_videos(
            model, videos, views=options.views, decoder=options.decoder, advance=advance
        )
    for failure in result.failures:
        report(f"{failure['path']}: {failure['error']}")
    if options.json:
        about = {"preset": options.preset, "list": str(options.list)}
        _print_json({**about, **result.to_dict()})
    else:
        _print_evaluation(make_console(), result)
    if result.failures:
        report(f"{len(result.failures)} of {result.videos} videos failed; they count as wrong")
        return EXIT_FAILED
    return 0


def _read_lists(paths, root: str | None) -> dict:
    """The lists by name: the file's, or its path where two files have one name."""
    from keras_video.data.video_list import VideoList

    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f"A list is given twice. Received: {' '.join(names)}")
    return {name: VideoList.read(path, root=root) for name, path in zip(names, paths, strict=True)}


def _print_json(record: dict) -> None:
    from keras_video.console import json_line

    print(json_line(record, sys.stdout.encoding))


def _print_defects(console, defects, title: str) -> None:
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


def _print_classes(console, classes: dict, splits: tuple[str, ...]) -> None:
    """Prints the number of videos of each class; of many classes, the smallest."""
    from rich.table import Table
    from rich.text import Text

    if not classes:
        return
    rows = list(classes.items())
    if len(rows) > _SHOWN_CLASSES:
        rows = sorted(rows, key=lambda row: row[1][splits[0]])[:_SHOWN_CLASSES]
        console.print(f"The {_SHOWN_CLASSES} smallest of {len(classes)} classes:")
    table = Table("Class")
    for split in splits:
        table.add_column(Text(split), justify="right")
    for label, counts in rows:
        table.add_row(Text(label), *(str(counts[split]) for split in splits))
    console.print(table)


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
        f"{result.videos} videos, {result.views} views each",
        style="bold",
    )
