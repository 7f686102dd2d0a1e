"""The commands `keras-video tag ...`."""

import argparse
import contextlib
from pathlib import Path

from keras_video.cli_common import (
    EXIT_FAILED,
    add_root,
    count_of,
    find_all,
    natural,
    open_output,
    positive,
    print_json,
    share,
)

DEFAULT_TAGGER = "video_tag_3k"
_SHOWN_TAGS = 30


def add_tag(command) -> None:
    """Adds the commands of `keras-video tag`."""
    _add_tag(command)
    _add_train(command)
    _add_evaluate(command)
    _add_render(command)


def _add_tag(command) -> None:
    tag = command(
        "tag",
        _tag,
        "give whole videos tags; tag train, tag evaluate: on tags of your own",
        description="Gives whole videos tags, any number of them. A video that can't be read is "
        "named with the reason, the others are still done, and the exit code is 1.",
        epilog="`keras-video tag train`, `tag evaluate`, `tag render` train on tags of your own, "
        "measure, and write videos to try that with; each has a --help. (A video of such a name "
        "is written ./train.)",
    )
    tag.add_argument(
        "paths", nargs="+", metavar="PATH", help="video files, folders, or quoted patterns"
    )
    tag.add_argument(
        "--preset",
        default=DEFAULT_TAGGER,
        metavar="NAME_OR_DIR",
        help="an application VideoTag: a name, directory, or hf://org/name (default: %(default)s)",
    )
    tag.add_argument(
        "--top-k", type=positive, default=20, metavar="N", help="tags a video (default: 20)"
    )
    tag.add_argument(
        "--threshold",
        metavar="SCORE",
        help="only tags with a score from this on; `best`: each tag's own, chosen in training",
    )
    tag.add_argument("--json", action="store_true", help="print one JSON object a video")
    tag.add_argument("--output", type=Path, metavar="FILE", help="also write those to FILE")
    tag.add_argument(
        "--save-dir",
        type=Path,
        metavar="DIR",
        help="also write result0.json, result1.json, ... as PaddleVideo's VideoTag does",
    )


def _add_train(command) -> None:
    train = command(
        "tag-train",
        _train,
        None,
        prog="keras-video tag train",
        description="Trains a VideoTag on videos with tags of your own. TAGS.csv has the columns "
        "video and tags, which are separated by |, and perhaps split: train, val, or test. "
        "Extracts features, trains, chooses a threshold for each tag on val, and reports on test. "
        "Started again, it goes on where it stopped.",
        epilog="example: keras-video tag train tags.csv --out runs/tags --extractor pp_tsm_k400 "
        "--fps 5",
    )
    train.add_argument("tags", type=Path, metavar="TAGS.csv")
    train.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="features/, run/, preset/, report.csv",
    )
    train.add_argument(
        "--extractor",
        default="pp_tsm_k400",
        metavar="PRESET",
        help="network that sees the frames (default: %(default)s)",
    )
    which = train.add_mutually_exclusive_group()
    which.add_argument(
        "--frames",
        type=positive,
        metavar="N",
        help="frames of a video, evenly spread (default: 300)",
    )
    which.add_argument("--fps", type=float, metavar="F", help="frames a second instead")
    which.add_argument("--stride", type=positive, metavar="N", help="every N-th frame instead")
    train.add_argument(
        "--layers",
        metavar="NAMES",
        help="layers of the extractor whose means are added to its features, such as stem_pool for "
        "colours",
    )
    train.add_argument(
        "--predictor",
        metavar="PRESET",
        help="an AttentionLSTM to start from; by default a small one is trained from nothing",
    )
    for name, text in (("embedding-dim", "of the features"), ("lstm-dim", "of each direction")):
        train.add_argument(f"--{name}", type=positive, metavar="N", help=f"channels {text}")
    train.add_argument("--epochs", type=positive, default=30, metavar="N")
    train.add_argument("--batch-size", type=positive, default=16, metavar="N")
    train.add_argument("--learning-rate", type=float, default=2e-3, metavar="RATE")
    train.add_argument(
        "--val",
        type=share,
        default=0.2,
        metavar="SHARE",
        help="of the videos for val, where the list names none (default: %(default)s)",
    )
    train.add_argument("--seed", type=natural, default=0, metavar="N")
    add_root(train)
    train.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_evaluate(command) -> None:
    evaluate = command(
        "tag-evaluate",
        _evaluate,
        None,
        prog="keras-video tag evaluate",
        description="Measures a VideoTag on videos with tags: mean average precision, and F-scores "
        "with the thresholds that it has.",
    )
    evaluate.add_argument("preset", metavar="NAME_OR_DIR")
    evaluate.add_argument("tags", type=Path, metavar="TAGS.csv")
    evaluate.add_argument(
        "--split", choices=("train", "val", "test"), help="only these videos (default: all)"
    )
    add_root(evaluate)
    evaluate.add_argument("--report", type=Path, metavar="FILE", help="also write a CSV")
    evaluate.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_render(command) -> None:
    render = command(
        "tag-render",
        _render,
        None,
        prog="keras-video tag render",
        description="Writes videos of two movements and a colour each, and tags.csv, to try "
        "`keras-video tag train` with.",
    )
    render.add_argument("directory", type=Path, metavar="DIR")
    render.add_argument("--videos", type=positive, default=400, metavar="N")
    render.add_argument("--seed", type=natural, default=0, metavar="N")


def _tag(options: argparse.Namespace) -> int:
    from keras_video.console import ResultWriter, json_line, progress_bar, report

    threshold = options.threshold
    if threshold not in (None, "best"):
        threshold = float(threshold)
    paths, missing = find_all(options.paths)
    tagger = _load(options.preset, options.debug) if paths else None
    if options.save_dir is not None:
        options.save_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open_output(options.output, paths))
        writer = ResultWriter(options.json, output)
        stack.callback(writer.finish)
        advance = stack.enter_context(progress_bar(len(paths), "Tagging"))
        for source, error in missing:
            writer.add(source, error)
        results = tagger.tag_each(paths, options.top_k, threshold, "return") if paths else ()
        for number, (path, result) in enumerate(zip(paths, results, strict=True)):
            writer.add(path, result)
            if options.save_dir is not None and not isinstance(result, Exception):
                from keras_video.applications.video_tag import reference_result

                target = options.save_dir / f"result{number}.json"
                target.write_text(json_line(reference_result(path, result)), encoding="utf-8")
            advance()
    if writer.failed:
        report(f"{writer.failed} of {writer.written} videos failed")
        return EXIT_FAILED
    return 0


def _train(options: argparse.Namespace) -> int:
    from keras_video.applications import TagList, train_video_tag
    from keras_video.console import make_console, quiet_tensorflow, report

    tags = TagList.read(options.tags, options.root)
    extraction = {
        name: value
        for name in ("frames", "fps", "stride")
        if (value := getattr(options, name)) is not None
    } or {"frames": 300}
    if options.layers:
        extraction["layers"] = options.layers.split(",")
    arguments = {
        name: value
        for name in ("embedding_dim", "lstm_dim")
        if (value := getattr(options, name)) is not None
    }
    with quiet_tensorflow(options.debug):
        import tensorflow  # noqa: F401
    result = train_video_tag(
        tags,
        options.out,
        extractor=options.extractor,
        extraction=extraction,
        predictor=options.predictor,
        predictor_arguments=arguments,
        num_epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        val_fraction=options.val,
        seed=options.seed,
    )
    for failure in result.failures:
        report(f"{failure['path']}: {failure['error']}")
    if result.finished and options.json:
        print_json({"preset": str(result.preset), **result.summary})
    elif result.finished:
        console = make_console()
        _print_report(console, result.report, result.summary, result.reported_on)
        console.print(f"Wrote {result.preset} and {options.out / 'report.csv'}", soft_wrap=True)
    if result.failures:
        report(f"{count_of(len(result.failures), 'video')} of {len(tags)} could not be read")
        return EXIT_FAILED
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from keras_video.applications import TagList
    from keras_video.applications.tag_evaluation import evaluate_tagger
    from keras_video.applications.tag_report import write_report
    from keras_video.console import make_console, progress_bar, report

    tagger = _load(options.preset, options.debug)
    tags = TagList.read(options.tags, options.root, tagger.labels)
    if options.split:
        tags = tags.subset(options.split)
        if tags is None:
            raise ValueError(
                f"The list has no videos of this split. Received: --split {options.split}"
            )
    with progress_bar(len(tags), "Evaluating") as advance:
        rows, summary, failures = evaluate_tagger(tagger, tags, advance)
    for failure in failures:
        report(f"{failure['path']}: {failure['error']}")
    if options.report:
        write_report(options.report, rows)
    if options.json:
        print_json({"preset": options.preset, **summary, "tags": rows, "failures": failures})
    else:
        _print_report(make_console(), rows, summary, options.split or "all videos")
    if failures:
        report(f"{len(failures)} of {len(tags)} videos failed; they count as given no tag")
        return EXIT_FAILED
    return 0


def _render(options: argparse.Namespace) -> int:
    from keras_video.data import write_tagged_videos

    path = write_tagged_videos(options.directory, options.videos, options.seed)
    print(f"Wrote {options.videos} videos and {path}")
    return 0


def _load(preset: str, debug: bool):
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(debug):
        import keras  # noqa: F401
    from keras_video.applications import VideoTag

    return VideoTag.from_preset(preset)


def _print_report(console, rows: list[dict], summary: dict, reported_on: str) -> None:
    from rich.table import Table
    from rich.text import Text

    known = [row for row in rows if row["videos"]]
    worst = sorted(known, key=lambda row: row["average_precision"])[:_SHOWN_TAGS]
    title = "Tag" if len(worst) == len(known) else f"{len(worst)} weakest of {len(known)} tags"
    table = Table(title, "Videos", "AP", "Threshold", "Precision", "Recall", "F1")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in worst:
        numbers = [row[name] for name in ("threshold", "precision", "recall", "f1")]
        cells = ["-" if number is None else f"{number:.2f}" for number in numbers]
        table.add_row(
            Text(row["tag"]), str(row["videos"]), f"{row['average_precision']:.3f}", *cells
        )
    console.print(table)
    if not known:
        console.print("No video has a tag.")
        return
    console.print(
        f"mAP {summary['map']:.3f}, macro F1 {summary['macro_f1']:.3f}, micro F1 "
        f"{summary['micro_f1']:.3f} of {count_of(summary['videos'], 'video')} ({reported_on})",
        style="bold",
    )
