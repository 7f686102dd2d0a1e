"""The command `keras-video features`."""

import argparse
import contextlib
import math
from collections.abc import Sequence
from pathlib import Path

from keras_video.cli_common import (
    DEFAULT_PRESET,
    EXIT_FAILED,
    add_decoder,
    count_of,
    load_model,
    positive,
    print_json,
    require_decoder,
)


def add_features(command) -> None:
    """Adds `keras-video features`."""
    features = command(
        "features",
        _features,
        "write what a preset's network sees in videos, for models over long time",
        description="Writes the features of videos, one .npy file (steps, channels) for each, "
        "features.json with the settings and features.jsonl with a line for each video, times "
        "included. Started again, it does what is missing and what belongs to videos that have "
        "changed. A video that can't be read is named, the others are done, and the exit code "
        "is 1.",
        epilog="example: keras-video features videos/ --preset tsn_k400 --frames 300 --out feats/",
    )
    features.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="video files, folders, quoted patterns, or lists with a line `path labels...` for "
        "each video",
    )
    features.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder of the features"
    )
    features.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME_OR_DIR",
        help="whose network, sizes and crop (default: %(default)s)",
    )
    steps = features.add_mutually_exclusive_group()
    steps.add_argument(
        "--frames", type=positive, metavar="N", help="N steps, evenly spread over each video"
    )
    steps.add_argument(
        "--fps",
        type=_rate,
        metavar="F",
        help="F steps a second (default: 5, or 1 for networks that see clips, such as SlowFast)",
    )
    steps.add_argument("--stride", type=positive, metavar="N", help="a step every N frames")
    features.add_argument(
        "--frame-interval",
        type=positive,
        metavar="N",
        help="distance of the frames in a clip, for networks that see clips (default: the "
        "preset's)",
    )
    features.add_argument(
        "--layers",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="NAMES",
        help="further layers of 2-D networks whose means are put after the features, such as "
        "stem_pool for colours",
    )
    features.add_argument(
        "--dtype",
        choices=("float32", "float16"),
        default="float32",
        help="of the files (default: %(default)s)",
    )
    features.add_argument(
        "--precision", metavar="POLICY", help="of the network, such as mixed_bfloat16"
    )
    features.add_argument(
        "--batch-size",
        type=positive,
        metavar="N",
        help="clips in a batch (default: 32 frames, on a CPU 16)",
    )
    features.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="threads that decode (default: all cores, at most 4)",
    )
    features.add_argument(
        "--root",
        metavar="DIR",
        help="folder that the names of the features, and the paths in lists, start from "
        "(default: that of a single folder or list, else the deepest one with all videos)",
    )
    add_decoder(features)
    features.add_argument(
        "--again", action="store_true", help="extract everything again, also with other settings"
    )
    features.add_argument("--json", action="store_true", help="print the report as JSON")


def _features(options: argparse.Namespace) -> int:
    from keras_video.console import progress_bar, report

    paths, missing = _find(options.paths, options.root)
    for path, error in missing:
        report(f"{path}: {getattr(error, 'reason', error)}")
    if not paths:
        return EXIT_FAILED
    if options.decoder:
        require_decoder(options.decoder)
    model = load_model(options.preset, options.debug)
    # After Keras, which `load_model` keeps quiet.
    from keras_video.features import extract_features

    with contextlib.ExitStack() as stack:
        advance = None

        def progress(done: int, total: int) -> None:
            nonlocal advance
            if advance is None:
                advance = stack.enter_context(progress_bar(total, "Extracting"))
            advance()

        result = extract_features(
            paths,
            model,
            options.out,
            frames=options.frames,
            fps=options.fps,
            stride=options.stride,
            frame_interval=options.frame_interval,
            layers=options.layers,
            batch_size=options.batch_size,
            precision=options.precision,
            dtype=options.dtype,
            decoder=options.decoder,
            workers=options.workers,
            root=options.root,
            resume=not options.again,
            progress=progress,
        )
    for failure in result.failures:
        report(f"{failure['path']}: {failure['error']}")
    if options.json:
        about = {"preset": options.preset, "out": str(options.out)}
        print_json({**about, **result.to_dict()})
    else:
        _print_report(result, options.out)
    failed = len(result.failures) + len(missing)
    if failed:
        report(f"{failed} of {result.videos + len(missing)} videos failed")
        return EXIT_FAILED
    return 0


def _find(sources: Sequence[str], root: str | None) -> tuple[list[str], list[tuple[str, OSError]]]:
    """The arguments that stand for videos, and those that stand for none."""
    from keras_video.features.listed_videos import list_videos

    found, missing = [], []
    for source in sources:
        try:
            list_videos(source, root)
            found.append(source)
        except OSError as error:
            missing.append((source, error))
    return found, missing


def _print_report(result, out: Path) -> None:
    from rich.text import Text

    from keras_video.console import make_console, printable

    console = make_console()
    if result.extracted:
        share = result.waited_seconds / max(result.seconds, 1e-9)
        console.print(
            f"{count_of(result.frames, 'frame')} in {result.seconds:.1f} s, "
            f"{result.frames_per_second:.1f} frames/s; the network waited for frames "
            f"{share:.0%} of the time, so {result.bound} is the limit"
        )
    there = f", {result.reused} were there" if result.reused else ""
    console.print(
        Text(
            f"{count_of(result.extracted, 'video')}, {count_of(result.steps, 'step')}{there}: "
            f"{printable(out)}",
            "bold",
        ),
        soft_wrap=True,
    )


def _rate(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0. Received: {text}")
    return value
