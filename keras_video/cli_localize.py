"""The commands `keras-video localize ...`."""

import argparse
import contextlib
import warnings
from pathlib import Path

from keras_video.cli_common import (
    EXIT_FAILED,
    count_of,
    find_all,
    natural,
    positive,
    print_json,
    share,
)

_STAGES = ("features", "proposals", "sound", "actions")


def add_localize(command) -> None:
    """Adds the commands of `keras-video localize`."""
    _add_localize(command)
    _add_train(command)
    _add_evaluate(command)
    _add_clips(command)
    _add_render(command)


def _add_localize(command) -> None:
    localize = command(
        "localize",
        _localize,
        "find the actions in long videos; localize train, evaluate: actions of your own",
        description="Finds when something happens in long videos, and what. A video that can't be "
        "read is named with the reason, the others are still done, and the exit code is 1. One "
        "without a sound track is taken as silent.",
        epilog="`keras-video localize train`, `localize evaluate`, `localize render` train on "
        "actions of your own, measure, and write videos to try that with; each has a --help. (A "
        "video of such a name is written ./train.)",
    )
    localize.add_argument(
        "paths", nargs="+", metavar="PATH", help="video files, folders, or quoted patterns"
    )
    localize.add_argument(
        "--preset",
        required=True,
        metavar="NAME_OR_DIR",
        help="an ActionLocalizer: the preset/ that `localize train` wrote, or hf://org/name",
    )
    for name, text in (("class", "of the class"), ("iou", "of the estimated overlap")):
        localize.add_argument(
            f"--{name}-threshold",
            type=share,
            metavar="SCORE",
            help=f"lowest score {text} (default: the preset's, chosen in training)",
        )
    localize.add_argument("--json", action="store_true", help="print one JSON object a video")
    localize.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="also write result.json, a list of the videos' actions as FootballAction has it",
    )
    localize.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="also draw timeline.png; of several videos timeline0.png, timeline1.png, ...",
    )


def _add_train(command) -> None:
    train = command(
        "localize-train",
        _train,
        None,
        prog="keras-video localize train",
        description="Trains an ActionLocalizer on videos with annotated actions, stage by stage: "
        "features of pictures and sound, proposals (BMN), a network for the sound, and one that "
        "classifies (LSTM). ACTIONS.json is a list of videos with splits and actions in seconds, "
        "FootballAction's label.json, or ActivityNet's. Chooses thresholds on val, and reports on "
        "test. Started again, it goes on where it stopped.",
        epilog="example: keras-video localize train match/actions.json --out runs/match "
        "--extractor tsm_tiny_motion --window 20 --max-duration 10",
    )
    train.add_argument("actions", type=Path, metavar="ACTIONS.json")
    train.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="features/, spectra/, a folder for each stage, preset/, report.json",
    )
    train.add_argument(
        "--root",
        metavar="DIR",
        help="what paths of videos start from (default: the folder of ACTIONS.json)",
    )
    train.add_argument(
        "--extractor",
        default="pp_tsm_k400",
        metavar="PRESET",
        help="network that sees the frames (default: %(default)s)",
    )
    train.add_argument("--fps", type=float, default=5, metavar="F", help="steps a second")
    train.add_argument("--no-sound", action="store_true", help="pictures only")
    train.add_argument(
        "--window",
        type=float,
        default=40.0,
        metavar="SECONDS",
        help="what proposals are made from (default: %(default)s)",
    )
    train.add_argument(
        "--max-duration",
        type=float,
        metavar="SECONDS",
        help="of an action (default: that of a window)",
    )
    train.add_argument("--epochs", type=positive, default=20, metavar="N", help="of each stage")
    train.add_argument("--batch-size", type=positive, default=8, metavar="N")
    train.add_argument("--learning-rate", type=float, default=1e-3, metavar="RATE")
    train.add_argument(
        "--stage",
        choices=_STAGES,
        default=_STAGES[-1],
        help="the last stage to do (default: %(default)s, which is the last)",
    )
    train.add_argument("--seed", type=natural, default=0, metavar="N")
    train.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_evaluate(command) -> None:
    evaluate = command(
        "localize-evaluate",
        _evaluate,
        None,
        prog="keras-video localize evaluate",
        description="Measures an ActionLocalizer on videos with annotated actions: precision, "
        "recall and F1 of each class, and the average recall of its proposals.",
    )
    evaluate.add_argument("preset", metavar="NAME_OR_DIR")
    evaluate.add_argument("actions", type=Path, metavar="ACTIONS.json")
    evaluate.add_argument(
        "--split", choices=("train", "val", "test"), help="only these videos (default: all)"
    )
    evaluate.add_argument("--root", metavar="DIR", help="what paths of videos start from")
    evaluate.add_argument(
        "--tiou",
        type=share,
        default=0.5,
        metavar="IOU",
        help="overlap of what counts as found (default: %(default)s)",
    )
    evaluate.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_clips(command) -> None:
    clips = command(
        "localize-clips",
        _clips,
        None,
        prog="keras-video localize clips",
        description="Cuts annotated actions, and background between them, out of long videos, to "
        "train an extractor of your own on: `python recipes/finetune.py --workdir=runs/extractor "
        "--config.data.root=DIR --config.model.preset=pp_tsm_k400`, and then `keras-video localize "
        "train --extractor runs/extractor/preset`.",
    )
    clips.add_argument("actions", type=Path, metavar="ACTIONS.json")
    clips.add_argument("--out", required=True, type=Path, metavar="DIR")
    clips.add_argument("--root", metavar="DIR", help="what paths of videos start from")
    clips.add_argument(
        "--short-side",
        type=positive,
        default=256,
        metavar="PIXELS",
        help="larger frames are made so small (default: %(default)s)",
    )
    clips.add_argument("--seed", type=natural, default=0, metavar="N")


def _add_render(command) -> None:
    render = command(
        "localize-render",
        _render,
        None,
        prog="keras-video localize render",
        description="Writes long videos with sound, in which actions happen at known times, and "
        "actions.json, to try `keras-video localize train` with.",
    )
    render.add_argument("directory", type=Path, metavar="DIR")
    render.add_argument("--videos", type=positive, default=48, metavar="N")
    render.add_argument("--duration", type=float, default=60.0, metavar="SECONDS")
    render.add_argument("--seed", type=natural, default=0, metavar="N")


def _localize(options: argparse.Namespace) -> int:
    from keras_video.applications import NoSoundWarning
    from keras_video.console import make_console, progress_bar, report

    paths, missing = find_all(options.paths)
    thresholds = {
        name: value
        for name in ("class_threshold", "iou_threshold")
        if (value := getattr(options, name)) is not None
    }
    localizer = _load(options.preset, options.debug, thresholds) if paths else None
    failed, timelines = len(missing), []
    for source, error in missing:
        report(f"{source}: {error}")
    console = make_console()
    with contextlib.ExitStack() as stack:
        advance = stack.enter_context(progress_bar(len(paths), "Localizing"))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always", NoSoundWarning)
        warnings.showwarning = lambda message, *_, **__: report(str(message), "warning")
        results = localizer.localize_each(map(str, paths), "return") if paths else ()
        for result in results:
            if isinstance(result, Exception):
                failed += 1
                report(str(result))
            else:
                timelines.append(result)
                if options.json:
                    print_json(result.to_json())
                else:
                    _print_timeline(console, result)
            advance()
    if options.out:
        from keras_video.applications.timeline import write_timelines

        write_timelines(options.out, timelines)
    if options.plot:
        for number, timeline in enumerate(timelines):
            path = options.plot
            if len(paths) > 1:
                path = path.with_name(f"{path.stem}{number}{path.suffix}")
            path.parent.mkdir(parents=True, exist_ok=True)
            timeline.save_plot(path)
    if failed:
        report(f"{failed} of {count_of(len(paths) + len(missing), 'video')} failed")
        return EXIT_FAILED
    return 0


def _train(options: argparse.Namespace) -> int:
    from keras_video.applications import train_action_localizer
    from keras_video.console import make_console, quiet_tensorflow
    from keras_video.localization import read_actions

    videos = read_actions(options.actions)
    with quiet_tensorflow(options.debug):
        import tensorflow  # noqa: F401
    result = train_action_localizer(
        videos,
        options.out,
        root=options.actions.parent if options.root is None else options.root,
        extractor=options.extractor,
        fps=options.fps,
        sound=not options.no_sound,
        window=options.window,
        max_duration=options.max_duration,
        num_epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        until=options.stage,
        seed=options.seed,
    )
    if result.finished:
        _show(make_console(), result.report, result.recall, result.reported_on, options.json)
        if not options.json:
            print(f"Wrote {result.preset} and {options.out / 'report.json'}")
    elif options.stage != _STAGES[-1]:
        print(f"The stage {options.stage} is done; the same command without --stage goes on")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    import os

    from keras_video.applications.localizer_evaluation import recall_numbers
    from keras_video.console import make_console, progress_bar, report
    from keras_video.data import VideoDecodeError
    from keras_video.localization import detection_f1, read_actions

    videos = read_actions(options.actions, options.split)
    if not videos:
        raise ValueError(f"The list has no videos of this split. Received: --split {options.split}")
    localizer = _load(options.preset, options.debug, {})
    root = options.actions.parent if options.root is None else options.root
    detections, proposals, failed = {}, {}, 0
    with progress_bar(len(videos), "Evaluating") as advance:
        for video in videos:
            detections[video.video] = proposals[video.video] = ()
            try:
                timeline = localizer(os.path.join(os.path.expanduser(root), video.video))
            except VideoDecodeError as error:
                failed += 1
                report(str(error))
            else:
                detections[video.video] = timeline.detections
                proposals[video.video] = timeline.proposals
            advance()
    truth = {video.video: video.actions for video in videos}
    recall = recall_numbers(proposals, truth)
    f1 = detection_f1(detections, truth, threshold=options.tiou)
    _show(make_console(), f1, recall, options.split or "all videos", options.json, options.tiou)
    if failed:
        report(f"{failed} of {count_of(len(videos), 'video')} failed; nothing was found in them")
        return EXIT_FAILED
    return 0


def _clips(options: argparse.Namespace) -> int:
    from keras_video.applications import write_action_clips
    from keras_video.console import progress_bar
    from keras_video.localization import read_actions

    videos = read_actions(options.actions)
    with progress_bar(len(videos), "Cutting") as advance:
        lists = write_action_clips(
            videos,
            options.out,
            root=options.actions.parent if options.root is None else options.root,
            short_side=options.short_side,
            seed=options.seed,
            progress=lambda done, total: advance(),
        )
    print(f"Wrote {', '.join(map(str, lists.values()))}")
    return 0


def _render(options: argparse.Namespace) -> int:
    from keras_video.data import write_match_videos

    path = write_match_videos(
        options.directory, options.videos, options.duration, seed=options.seed
    )
    print(f"Wrote {options.videos} videos and {path}")
    return 0


def _load(preset: str, debug: bool, settings: dict):
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(debug):
        import keras  # noqa: F401
    from keras_video.applications import ActionLocalizer

    return ActionLocalizer.from_preset(preset, **settings)


def _print_timeline(console, timeline) -> None:
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import printable

    console.print(Text(printable(timeline.video), "bold"))
    if not timeline.detections:
        console.print(f"  nothing found in {_clock(timeline.duration)}")
        return
    table = Table("Start", "End", "Action", "Class", "Overlap")
    for column in (table.columns[0], table.columns[1], table.columns[3], table.columns[4]):
        column.justify = "right"
    for detection, score, iou in zip(
        timeline.detections, timeline.class_scores, timeline.iou_scores, strict=True
    ):
        times = _clock(detection.start), _clock(detection.end)
        table.add_row(*times, Text(printable(detection.label)), f"{score:.2f}", f"{iou:.2f}")
    console.print(table)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _show(console, report, recall: dict, reported_on: str, as_json: bool, tiou: float = 0.5):
    from rich.table import Table
    from rich.text import Text

    from keras_video.applications.localizer_evaluation import report_rows

    rows = report_rows(report)
    if as_json:
        print_json({"reported_on": reported_on, "tiou": tiou, **recall, "classes": rows})
        return
    table = Table("Action", "In truth", "Found", "Precision", "Recall", "F1")
    for column in table.columns[1:]:
        column.justify = "right"
    for label, row in rows.items():
        numbers = [row[name] for name in ("precision", "recall", "f1")]
        counts = [str(row[name]) for name in ("actions", "detections")]
        table.add_row(Text(label), *counts, *(f"{number:.2f}" for number in numbers))
    console.print(table)
    console.print(
        f"F1 {report.overall.f1:.3f} at tIoU {tiou:g} ({reported_on}); proposals: AR@10 "
        f"{recall['ar_10']:.1f} %, AR@100 {recall['ar_100']:.1f} %, AUC {recall['auc']:.1f} %",
        style="bold",
    )
