"""The command `keras-video summary`."""

import argparse
import dataclasses
import inspect
import re
from pathlib import Path

from keras_video.cli_common import positive, print_json

# The part of a layer's name that it shares with its stage or block.
_GROUP = re.compile(r"(?:.*?/)??(?:[a-z0-9]+_)*?(?:stage|block|stem|fuse)\d*(?=_|$)")


def add_summary(command) -> None:
    """Adds `keras-video summary`."""
    summary = command(
        "summary",
        _summary,
        "show what a preset's network consists of and what an answer costs",
        description="Shows the layers of a preset's network, its parameters, the multiply-adds of "
        "one clip and of a whole video, and the memory it takes. Nothing is downloaded but what "
        "describes a preset of the Hub.",
        epilog="examples: keras-video summary pp_tsm_k400 --layers; keras-video summary "
        "slowfast_8x8_k400 --size 256",
    )
    summary.add_argument(
        "preset", metavar="NAME_OR_DIR", help="name of a preset, directory, or hf://org/name"
    )
    summary.add_argument(
        "--size", type=positive, metavar="N", help="side of the frames (default: the preset's)"
    )
    summary.add_argument(
        "--num-frames",
        type=positive,
        metavar="N",
        help="frames of a clip, or steps of features (default: the preset's)",
    )
    summary.add_argument(
        "--layers", action="store_true", help="list all layers instead of stages and blocks"
    )
    summary.add_argument("--json", action="store_true", help="print one JSON object")


def _summary(options: argparse.Namespace) -> int:
    model, title = _load(options)
    from keras_video.models import summarize

    summary = summarize(model, num_frames=options.num_frames, size=options.size)
    if options.json:
        print_json(_record(title, summary))
    else:
        _print(title, summary, options.layers)
    return 0


def _load(options: argparse.Namespace) -> tuple:
    """The model without its weights, of the sizes asked for; and what it is called."""
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(options.debug):
        import keras  # noqa: F401
    from keras_video.presets import Preset, load_preset
    from keras_video.presets.import_string import import_object
    from keras_video.presets.loading import model_from_manifest
    from keras_video.presets.resolution import find_preset

    found = find_preset(options.preset)
    name = found.name if isinstance(found, Preset) else options.preset
    asked = {"num_frames": options.num_frames, "image_size": options.size}
    asked = {argument: value for argument, value in asked.items() if value is not None}
    if isinstance(found, Preset) and not found.bundled:
        taken = inspect.signature(import_object(found.model)).parameters
        sizes = {argument: value for argument, value in asked.items() if argument in taken}
        return model_from_manifest(found, sizes), name
    model = load_preset(options.preset, load_weights=False)
    taken = inspect.signature(type(model)).parameters
    if sizes := {argument: value for argument, value in asked.items() if argument in taken}:
        model = load_preset(options.preset, load_weights=False, **sizes)
    return model, name


def _record(name: str, summary) -> dict:
    """What `--json` prints: all of the summary, and its sums."""
    record = {"preset": name, **dataclasses.asdict(summary)}
    record["multiply_adds"]["total"] = summary.total_multiply_adds
    for field in (
        "parameters_without_batch_norm",
        "trainable_parameters_without_batch_norm",
        "video_multiply_adds",
    ):
        record[field] = getattr(summary, field)
    return record


def _print(name: str, summary, all_layers: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from keras_video.console import make_console, printable

    console = make_console()
    inputs = ", ".join(f"{key} {_shape(shape)}" for key, shape in summary.input_shapes.items())
    console.print(Text(printable(f"{_last(name)}: {summary.model}"), "bold"))
    console.print(Text(f"Input: {inputs}"))
    columns = ("Layer", "Kind") if all_layers else ("Layers", "Number")
    columns = (*columns, "Output", "Parameters", "Multiply-adds", "Share")
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    for column in table.columns[3 if all_layers else 1 :]:
        column.justify = "right"
    table.columns[2].justify = "left"
    total = summary.total_multiply_adds
    for label, layers in _rows(summary.layers, all_layers).items():
        count = sum(layer.total_multiply_adds for layer in layers)
        table.add_row(
            Text(label),
            layers[0].kind if all_layers else str(len(layers)),
            _shape(layers[-1].output_shape),
            _whole(sum(layer.parameters for layer in layers)),
            _large(count),
            f"{count / total:.1%}" if count else "",
        )
    console.print(table)
    grid = Table.grid(padding=(0, 2))
    for fact, value in _facts(summary):
        grid.add_row(Text(fact), Text(value))
    console.print(grid)
    for note in summary.notes:
        console.print(Text(f"Note: {note}."))
    if summary.uncounted:
        console.print(
            Text(
                "Too few multiply-adds: what these layers do isn't known (a method multiply_adds "
                f"of theirs would say it): {', '.join(summary.uncounted)}",
                "bold red",
            )
        )


def _rows(layers, all_layers: bool) -> dict[str, list]:
    """Layers by what they are listed as: themselves, or their stage or block."""
    names = [layer.name for layer in layers]
    short = [name.rpartition("/")[2] for name in names]
    # Which model they are in says something only where there are several.
    names = short if len(set(short)) == len(names) else names
    rows = {}
    for name, layer in zip(names, layers, strict=True):
        group = None if all_layers else _GROUP.match(name)
        rows.setdefault(group[0] if group else name, []).append(layer)
    if all_layers:
        return rows
    # What neither weighs nor multiplies is only in the long list.
    return {
        label: group
        for label, group in rows.items()
        if any(layer.parameters or layer.total_multiply_adds for layer in group)
    }


def _facts(summary) -> list[tuple[str, str]]:
    kinds = {kind: count for kind, count in summary.multiply_adds.items() if count}
    parts = (
        "" if len(kinds) < 2 else f" ({', '.join(f'{k} {_large(n)}' for k, n in kinds.items())})"
    )
    without = ("; without batch normalisation {:,}" if summary.batch_norm_statistics else "").format
    facts = [
        (
            "Parameters",
            f"{summary.parameters:,}{without(summary.parameters_without_batch_norm)}",
        ),
        (
            "of them trainable",
            f"{summary.trainable_parameters:,}"
            f"{without(summary.trainable_parameters_without_batch_norm)}",
        ),
        ("Multiply-adds of one input", f"{_large(summary.total_multiply_adds)}{parts}"),
    ]
    if summary.views is not None:
        views = f"{summary.views} view" + ("s" if summary.views > 1 else "")
        facts.append(("of a video, as tested", f"{_large(summary.video_multiply_adds)} ({views})"))
    facts.append(("Memory of the weights", _mebibytes(summary.weight_bytes)))
    if summary.activation_bytes is not None:
        facts.append(
            (
                "of activations, at most",
                f"{_mebibytes(summary.activation_bytes)}, in {summary.activation_peak} (by the "
                "graph: one input, operations in turn, without workspace)",
            )
        )
    return facts


def _last(name: str) -> str:
    return name if "://" in name else Path(name).name


def _shape(shape: tuple) -> str:
    return "x".join(map(str, shape))


def _whole(count: int) -> str:
    return f"{count:,}" if count else ""


def _large(count: int) -> str:
    """A number with four digits and its unit."""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            digits = max(3 - len(str(count // unit)) + 1, 0)
            return f"{count / unit:,.{digits}f} {name}"
    return str(count) if count else ""


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
