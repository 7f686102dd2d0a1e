"""The command `keras-video`: parses arguments, calls the library, prints.

Nothing heavy is imported until a command needs it, so `--help` answers at once.
"""

import argparse
import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_video import (
    cli_benchmark,
    cli_dataset,
    cli_evaluate,
    cli_export,
    cli_features,
    cli_localize,
    cli_plugin,
    cli_predict,
    cli_serve,
    cli_summary,
    cli_tag,
)
from keras_video.cli_common import (
    EXIT_BROKEN_PIPE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    load_model,
    natural,
    positive,
    with_subcommand,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `keras-video` and returns its exit code.

    0: all went well; 1: some videos failed, or the demo went wrong; 2: arguments or presets
    that don't work; 130: interrupted; 141: the reader of the output went away.
    """
    _open_missing_streams()
    # The default stands here: a subcommand's own would undo `keras-video --debug COMMAND`.
    arguments = with_subcommand(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(arguments, argparse.Namespace(debug=False))
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\nkeras-video: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which must not complain again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    # The boundary to the user: whatever went wrong becomes one line.
    except Exception as error:
        if options.debug:
            raise
        from keras_video.console import one_line, report

        message = one_line(error)
        if not isinstance(error, ValueError | OSError | ImportError):
            message = f"{type(error).__name__}: {message} (--debug shows the traceback)"
        report(message)
        return EXIT_USAGE


def _open_missing_streams() -> None:
    """Gives a process that was started without stdout or stderr somewhere to write."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    from keras_video._version import __version__

    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--debug", action="store_true", help="show tracebacks and TensorFlow's messages"
    )
    parser = argparse.ArgumentParser(
        "keras-video",
        description="Video understanding for Keras 3.",
        epilog="`keras-video COMMAND --help` tells more about a command.",
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"keras-video {__version__}")
    command = _commands_of(parser, common)
    _add_demo(command)
    cli_predict.add_predict(command)
    cli_evaluate.add_evaluate(command)
    cli_features.add_features(command)
    cli_benchmark.add_benchmark(command)
    dataset = command("dataset", None, "prepare, check and look at your own videos")
    cli_dataset.add_dataset(_commands_of(dataset, common))
    cli_tag.add_tag(command)
    cli_localize.add_localize(command)
    cli_export.add_export(command)
    cli_export.add_check_export(command)
    cli_serve.add_serve(command)
    _add_presets(command)
    cli_summary.add_summary(command)
    plugin = command("plugin", None, "make a package for models of your own")
    cli_plugin.add_plugin(_commands_of(plugin, common))
    _add_convert(command)
    return parser


def _commands_of(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> Callable:
    """The function that adds a command to a parser and returns the command's own parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(name, run, summary, **kwargs):
        # Without a summary, a command is not listed.
        listed = {} if summary is None else {"help": summary}
        added = commands.add_parser(
            name,
            description=kwargs.pop("description", summary),
            parents=[common],
            **listed,
            **kwargs,
        )
        added.set_defaults(run=run)
        return added

    return command


def _add_demo(command) -> None:
    demo = command(
        "demo",
        _demo,
        "write a few videos and recognise them, offline",
        description="Writes a few real videos of moving shapes, recognises each with the preset "
        "that ships with keras_video, and writes one annotated video. Needs no network.",
    )
    demo.add_argument(
        "--directory",
        default="keras_video_demo",
        metavar="DIR",
        help="where to write (default: ./%(default)s)",
    )
    demo.add_argument(
        "--clips", type=positive, default=8, metavar="N", help="videos (default: %(default)s)"
    )
    demo.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="which scenes (default: %(default)s)"
    )


def _add_presets(command) -> None:
    presets = command("presets", _presets, "list the presets that have a name")
    presets.add_argument("pattern", nargs="?", default="*", help='such as "pp_*" (default: all)')
    presets.add_argument("--json", action="store_true", help="print one JSON object a preset")


def _add_convert(command) -> None:
    convert = command(
        "convert",
        _convert,
        "turn another project's checkpoint into a preset, or back",
        description="Converts a checkpoint of another project (.pdparams, .safetensors, .pth, "
        ".pyth, .pkl) into a preset directory, which from_preset() and `keras-video predict "
        "--preset` load. With --output, the other way: writes a preset as another project would.",
        epilog="examples: keras-video convert SLOWFAST_8x8_R50.pyth --model slowfast --to mine; "
        "keras-video convert mine --to pytorchvideo --output slowfast.safetensors",
    )
    convert.add_argument("file", metavar="FILE", help="with --output, a preset")
    convert.add_argument(
        "--model",
        metavar="NAME",
        help="a preset such as pp_tsm_k400, whose preprocessing and labels the new one gets; or a "
        "model such as pp_tsm",
    )
    convert.add_argument(
        "--to",
        required=True,
        metavar="DIR",
        help="the new preset; with --output, whose form to write: huggingface, pytorchvideo, ...",
    )
    convert.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="a .safetensors file, a .pth file (needs torch), or with `--to huggingface` a "
        "directory for transformers",
    )
    convert.add_argument(
        "--format", default="auto", metavar="NAME", help="whose tensor names (default: %(default)s)"
    )
    convert.add_argument(
        "--part",
        choices=("model", "backbone"),
        default="model",
        help="what the checkpoint holds; `backbone` for weights trained on images "
        "(default: %(default)s)",
    )
    convert.add_argument("--num-classes", type=positive, metavar="N")
    convert.add_argument("--num-frames", type=positive, metavar="N")
    convert.add_argument("--depth", type=positive, metavar="N")


def _demo(options: argparse.Namespace) -> int:
    from rich.table import Table
    from rich.text import Text

    from keras_video import demo
    from keras_video.console import make_console, score_grid

    clips = demo.write_demo_clips(options.directory, options.clips, options.seed)
    model = load_model(demo.DEMO_PRESET, options.debug)
    clips = demo.recognize_clips(model, clips, top_k=3)
    annotated = Path(options.directory) / demo.ANNOTATED_NAME
    demo.write_annotated_video(annotated, clips)

    table = Table("Clip", "True label", "Top 3", "Right")
    for index, clip in enumerate(clips):
        mark = Text("yes", "green") if clip.is_right else Text("no", "bold red")
        grid = score_grid(clip.predictions)
        table.add_row(f"{index:02d}", clip.label, grid, mark, end_section=True)
    console = make_console()
    console.print(table)
    right = sum(clip.is_right for clip in clips)
    console.print(f"{right} of {len(clips)} right", style="bold")
    console.print(Text(f"Videos: {Path(options.directory) / '*.mp4'}"), soft_wrap=True)
    console.print(Text(f"What the model saw and said: {annotated}"), soft_wrap=True)
    # Now and then a scene is hard; more than a quarter wrong means a broken installation.
    return 0 if right >= 0.75 * len(clips) else EXIT_FAILED


def _presets(options: argparse.Namespace) -> int:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import json_line, make_console, report
    from keras_video.presets import get_preset, list_presets

    presets = [get_preset(name) for name in list_presets(options.pattern)]
    if not presets:
        report(f"no preset matches {options.pattern!r}; without a pattern all are listed")
        return EXIT_FAILED
    if options.json:
        for preset in presets:
            print(json_line(dataclasses.asdict(preset), sys.stdout.encoding))
        return 0
    table = Table(
        "Name", "Model", "Top-1", "Parameters", "Description", box=SIMPLE_HEAD, pad_edge=False
    )
    for column in ("Top-1", "Parameters"):
        next(c for c in table.columns if c.header == column).justify = "right"
    table.columns[0].no_wrap = True
    for preset in presets:
        top1 = preset.metrics.get("top1")
        table.add_row(
            Text(preset.name),
            preset.model_class_name,
            "" if top1 is None else f"{top1:.2f}",
            "" if preset.parameters is None else _millions(preset.parameters),
            Text(preset.description),
        )
    make_console().print(table)
    return 0


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f} M"


def _convert(options: argparse.Namespace) -> int:
    from keras_video.console import quiet_tensorflow
    from keras_video.presets import PresetError, convert, write_checkpoint

    if (options.model is None) == (options.output is None):
        raise PresetError(
            "`convert` takes --model NAME to make a preset of a checkpoint, or --output PATH to "
            f"write a preset in the form of --to. Received: --model {options.model} --output "
            f"{options.output}"
        )
    if options.output is not None:
        model = load_model(options.file, options.debug)
        write_checkpoint(model, options.output, options.to)
        print(f"{type(model).__name__} with {model.count_params():,} weights: {options.output}")
        return 0
    with quiet_tensorflow(options.debug):
        import keras  # noqa: F401

    chosen = {
        name: value
        for name in ("num_classes", "num_frames", "depth")
        if (value := getattr(options, name)) is not None
    }
    model = convert(
        options.file,
        options.model,
        to=options.to,
        format=options.format,
        part=options.part,
        **chosen,
    )
    print(f"{type(model).__name__} with {model.count_params():,} weights: {options.to}")
    if getattr(model, "preprocessor", None) is None:
        print(
            "keras-video: no preprocessing is known, so the new preset can't classify videos yet: "
            "convert with --model PRESET (`keras-video presets` lists them) to take that preset's",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
