"""The commands `keras-video dataset ...`."""

import argparse
import random
from pathlib import Path

from keras_video.cli_common import (
    DEFAULT_PRESET,
    EXIT_FAILED,
    add_decoder,
    add_root,
    count_of,
    natural,
    positive,
    print_defects,
    print_json,
    read_lists,
    require_decoder,
    share,
)
from keras_video.cli_dataset_render import add_render
from keras_video.cli_dataset_yt8m import add_yt8m

_SHOWN_CLASSES = 20


def add_dataset(command) -> None:
    """Adds the commands of `keras-video dataset`."""
    add_render(command)
    _add_prepare(command)
    _add_check(command)
    _add_frames(command)
    _add_browse(command)
    add_yt8m(command)


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
    add_root(check)
    _add_min_frames(check)
    check.add_argument(
        "--every-frame", action="store_true", help="decode all frames, not eight of each video"
    )
    add_decoder(check)
    _add_workers(check)
    check.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_frames(command) -> None:
    frames = command(
        "frames",
        _frames,
        "extract all frames into shards that are fast to read",
        description="Writes the frames of a list's videos as JPEG files into TFRecord shards, and "
        "a list of the same name that `VideoDataset` and the other commands read. A run that was "
        "stopped goes on after the last shard that it finished. A video that can't be read is "
        "left out and named, and the exit code is 1.",
    )
    frames.add_argument("list", type=Path, metavar="LIST")
    frames.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="a folder for this list alone"
    )
    add_root(frames)
    frames.add_argument(
        "--short-side",
        type=natural,
        default=256,
        metavar="N",
        help="pixels on the shorter side, 0 to leave the size alone (default: %(default)s)",
    )
    frames.add_argument(
        "--quality",
        type=positive,
        default=90,
        metavar="N",
        help="of the JPEG files, 1 to 95 (default: %(default)s)",
    )
    frames.add_argument(
        "--videos-per-shard",
        type=positive,
        default=64,
        metavar="N",
        help="videos in one file; a run that is stopped loses those of the file that it was at "
        "(default: %(default)s)",
    )
    frames.add_argument(
        "--retry-failed",
        action="store_true",
        help="try videos again that an earlier run could not read",
    )
    _add_workers(frames)
    add_decoder(frames)


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
    add_root(browse)
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


def _add_min_frames(parser) -> None:
    parser.add_argument(
        "--min-frames",
        type=positive,
        default=8,
        metavar="N",
        help="videos with fewer frames are short (default: %(default)s)",
    )


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
        print_json(report.to_dict())
        return 0
    console = make_console()
    print_defects(console, report.left_out, "Left out")
    _print_classes(console, report.classes, ("train", "val"))
    if options.gop:
        console.print(f"Encoded: {report.encoded}, already there: {report.reused}")
    console.print(
        f"{count_of(report.train, 'video')} to train, {report.val} to validate, "
        f"{len({defect.source for defect in report.left_out})} left out: {options.out}",
        style="bold",
        soft_wrap=True,
        markup=False,
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, printable, progress_bar
    from keras_video.data.dataset_check import check_dataset

    if options.decoder:
        require_decoder(options.decoder)
    splits = read_lists(options.lists, options.root)
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
        print_json(report.to_dict())
        return code
    console = make_console()
    print_defects(console, report.defects, "Defect")
    _print_classes(console, report.classes, tuple(splits))
    for name in splits:
        videos, frames = (
            count_of(report.videos[name], "video"),
            count_of(report.frames[name], "frame"),
        )
        text = f"{printable(name)}: {videos}, {frames}"
        console.print(text, soft_wrap=True, markup=False)
    found = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
    console.print(f"Defects: {found or 'none'}", style="bold red" if found else "bold green")
    return code


def _frames(options: argparse.Namespace) -> int:
    from keras_video.console import printable, progress_bar, quiet_tensorflow, report
    from keras_video.data.frame_shards import write_frame_shards
    from keras_video.data.video_list import VideoList

    if options.decoder:
        require_decoder(options.decoder)
    (videos,) = read_lists([options.list], options.root).values()
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"The shards need a folder; there is a file. Received: {options.out}")
    with quiet_tensorflow(options.debug):
        import tensorflow  # noqa: F401

    with progress_bar(len(videos), "Extracting") as advance:
        seen = 0

        def progress(done: int, total: int) -> None:
            nonlocal seen
            for _ in range(done - seen):
                advance()
            seen = done

        result = write_frame_shards(
            videos,
            options.out,
            records_per_shard=options.videos_per_shard,
            short_side=options.short_side or None,
            quality=options.quality,
            decoder=options.decoder or "pyav",
            workers=options.workers,
            retry_failed=options.retry_failed,
            progress=progress,
        )
    for source, reason in result.failures:
        report(f"{source}: {reason}")
    target = options.out / options.list.name
    if result.records:
        VideoList(result.records, videos.labels).write(target)
        print(
            f"{count_of(len(result.records), 'video')} in "
            f"{count_of(result.written + result.kept, 'shard')}, "
            f"{result.kept} of them already there: {printable(target)}"
        )
    if result.failures:
        report(
            f"{len(result.failures)} of {count_of(len(videos), 'video')} failed; once they are "
            "mended, run again with --retry-failed, or they stay out"
        )
        return EXIT_FAILED
    return 0


def _browse(options: argparse.Namespace) -> int:
    from keras_video.console import printable, quiet_tensorflow, report

    (videos,) = read_lists([options.list], options.root).values()
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
    print(f"{count_of(written, 'clip')}: {printable(options.out)}")
    if dataset.failures:
        report(f"{count_of(len(dataset.failures), 'video')} could not be read")
        return EXIT_FAILED
    return 0


def _print_classes(console, classes: dict, splits: tuple[str, ...]) -> None:
    """Prints the number of videos of each class; of many classes, the smallest."""
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import printable

    if not classes:
        return
    rows = list(classes.items())
    if len(rows) > _SHOWN_CLASSES:
        rows = sorted(rows, key=lambda row: row[1][splits[0]])[:_SHOWN_CLASSES]
        console.print(f"The {_SHOWN_CLASSES} smallest of {len(classes)} classes:")
    table = Table("Class")
    for split in splits:
        table.add_column(Text(printable(split)), justify="right")
    for label, counts in rows:
        table.add_row(Text(printable(label)), *(str(counts[split]) for split in splits))
    console.print(table)
