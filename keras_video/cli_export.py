"""The commands `keras-video export` and `keras-video check-export`."""

import argparse

from keras_video.cli_common import EXIT_FAILED, count_of, find_all, positive, print_json

# As in `keras_video.export.formats`, which a command's help should not wait for.
FORMATS = ("onnx", "saved_model", "openvino", "litert")
PRECISIONS = ("float32", "bfloat16", "float16", "int8")


def add_export(command) -> None:
    """Adds `keras-video export`."""
    export = command(
        "export",
        _export,
        "write a preset for ONNX Runtime, TensorFlow Serving, OpenVINO or LiteRT",
        description="Writes the model of a preset for another runtime, with its labels and its "
        "preprocessing. Every installed runtime that reads the format runs the file on real "
        "inputs, and the directory appears only if it computes what Keras does.",
        epilog="Then: keras-video check-export DIR clip.mp4, keras-video serve --model DIR, or "
        "TensorFlow Serving with --model_base_path=DIR (saved_model).",
    )
    export.add_argument("--preset", required=True, metavar="NAME_OR_DIR")
    export.add_argument("--format", required=True, choices=FORMATS)
    export.add_argument("--precision", default="float32", choices=PRECISIONS)
    export.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="the graph takes the frames of a whole video and returns its scores",
    )
    export.add_argument(
        "--calibration",
        metavar="DIR_OR_PATTERN",
        help="for int8: videos like those that the model will see",
    )
    export.add_argument(
        "--num-calibration",
        type=positive,
        default=64,
        metavar="N",
        help="clips of them to measure on (default: %(default)s)",
    )
    export.add_argument("--out", required=True, metavar="DIR", help="an earlier export is replaced")


def add_check_export(command) -> None:
    """Adds `keras-video check-export`."""
    check = command(
        "check-export",
        _check_export,
        "compare an exported model with its original on videos",
        description="Classifies videos with an exported model and with the preset it was made of: "
        "the best classes of both, the largest difference of their probabilities, and the time of "
        "both networks. The exit code is 1 if a best class differs or a video can't be read.",
    )
    check.add_argument("directory", metavar="DIR", help="what `keras-video export` wrote")
    check.add_argument(
        "paths", nargs="+", metavar="PATH", help="video files, folders, or quoted patterns"
    )
    check.add_argument(
        "--preset", metavar="NAME_OR_DIR", help="the original (default: what DIR says)"
    )
    check.add_argument("--top-k", type=positive, default=5, metavar="N", help="(default: 5)")
    check.add_argument("--json", action="store_true", help="print one JSON object a line")


def _export(options: argparse.Namespace) -> int:
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(options.debug):
        from keras_video.export import export_model
    written = export_model(
        options.preset,
        options.out,
        options.format,
        precision=options.precision,
        with_preprocessing=options.with_preprocessing,
        calibration=options.calibration,
        num_calibration=options.num_calibration,
    )
    print(written)
    return 0


def _check_export(options: argparse.Namespace) -> int:
    from keras_video.console import make_console, quiet_tensorflow, report

    videos, missing = find_all(options.paths)
    with quiet_tensorflow(options.debug):
        from keras_video.export import check_export
    checks = check_export(
        options.directory, videos, options.preset, top_k=options.top_k, errors="return"
    )
    failures = [error for _, error in missing]
    failures += [check for check in checks if isinstance(check, Exception)]
    checks = [check for check in checks if not isinstance(check, Exception)]
    for failure in failures:
        report(str(failure))
    if options.json:
        for check in checks:
            print_json(check.to_dict())
    elif checks:
        _print_checks(make_console(), checks)
    others = [check for check in checks if not check.same_best]
    if others:
        report(f"{count_of(len(others), 'answer')} of {len(checks)} with another best class")
    return EXIT_FAILED if failures or others else 0


def _print_checks(console, checks) -> None:
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import printable

    table = Table("Video", "Original", "Exported", "Difference", "Time")
    table.columns[3].justify = "right"
    for check in checks:
        table.add_row(
            Text(printable(check.video)),
            Text(_classes(check.original)),
            Text(f"{_classes(check.exported)}\n({check.runtime})"),
            f"{check.difference:.0e}",
            f"{check.original_ms:.0f} ms\n{check.exported_ms:.0f} ms",
        )
    console.print(table)
    worst = max(check.difference for check in checks)
    same = sum(check.same_best for check in checks)
    console.print(
        f"The same best class in {same} of {len(checks)}; probabilities differ by at most "
        f"{worst:.0e}",
        style="bold",
    )


def _classes(classes: list[dict]) -> str:
    return "\n".join(f"{each['score']:7.2%} {each['label']}" for each in classes)
