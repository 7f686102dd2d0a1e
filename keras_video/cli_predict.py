"""The command `keras-video predict`."""

import argparse
import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

from keras_video.cli_common import (
    DEFAULT_PRESET,
    EXIT_FAILED,
    find_all,
    load_model,
    open_output,
    positive,
    require_decoder,
)

# Those of `keras_video.inference.runtimes`, whose import costs NumPy.
_RUNTIMES = ("keras", "saved_model", "onnxruntime", "openvino", "litert")


def add_predict(command) -> None:
    """Adds `keras-video predict`."""
    predict = command(
        "predict",
        _predict,
        "name what happens in videos",
        description="Names what happens in videos. A video that can't be read is named with the "
        "reason, the others are still done, and the exit code is 1.",
    )
    predict.add_argument(
        "paths", nargs="+", metavar="PATH", help="video files, folders, or quoted patterns"
    )
    source = predict.add_mutually_exclusive_group()
    source.add_argument(
        "--preset",
        metavar="NAME_OR_DIR",
        help="name of a preset (`keras-video presets` lists them), directory, or "
        f"hf://org/name[@revision] (default: {DEFAULT_PRESET})",
    )
    source.add_argument(
        "--model", type=Path, metavar="DIR", help="what `keras-video export` wrote, in its runtime"
    )
    predict.add_argument(
        "--runtime",
        choices=_RUNTIMES,
        help="what runs the model: one that reads the format of --model, where there are several",
    )
    predict.add_argument(
        "--windows",
        type=_seconds,
        metavar="SECONDS",
        help="say what happens when: judge parts of so many seconds, instead of the whole video",
    )
    predict.add_argument(
        "--hop",
        type=_seconds,
        metavar="SECONDS",
        help="from the start of a part to the next one's (default: half of --windows)",
    )
    predict.add_argument(
        "--top-k",
        type=positive,
        default=5,
        metavar="N",
        help="predictions a video (default: %(default)s)",
    )
    predict.add_argument(
        "--json", action="store_true", help="print one JSON object a video, as soon as it is done"
    )
    predict.add_argument(
        "--output", type=Path, metavar="FILE", help="also write one JSON object a video to FILE"
    )
    predict.add_argument("--decoder", metavar="NAME", help="decode with another reader: decord")


def _seconds(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0. Received: {text}")
    return value


def _predict(options: argparse.Namespace) -> int:
    from keras_video.console import ResultWriter, progress_bar, report

    _check_combination(options)
    paths, missing = find_all(options.paths)
    if options.decoder:
        require_decoder(options.decoder)
    model = _load(options) if paths else None
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open_output(options.output, paths))
        writer = ResultWriter(options.json, output)
        # Also when interrupted: what is done is done.
        stack.callback(writer.finish)
        advance = stack.enter_context(progress_bar(len(paths)))
        for source, error in missing:
            writer.add(source, error)
        if not paths:
            results = ()
        elif options.windows:
            results = _windows(model, paths, options)
        else:
            results = model.classify_each(paths, options.top_k, errors="return")
        for path, result in zip(paths, results, strict=True):
            writer.add(path, result)
            advance()
    if writer.failed:
        report(f"{writer.failed} of {writer.written} videos failed")
        return EXIT_FAILED
    return 0


def _check_combination(options: argparse.Namespace) -> None:
    if options.hop and not options.windows:
        raise ValueError(
            f"--hop says how far apart --windows begin. Received: --hop {options.hop:g} without it"
        )
    if options.runtime not in (None, "keras") and options.model is None:
        preset = options.preset or DEFAULT_PRESET
        raise ValueError(
            f"{options.runtime} runs exported models: `keras-video export --preset {preset} --out "
            f"DIR`, then give --model DIR. Received: --runtime {options.runtime} without --model"
        )


def _load(options: argparse.Namespace):
    """A model of Keras, or a `Predictor`: both have `classify_each`."""
    if options.model is None:
        model = load_model(options.preset or DEFAULT_PRESET, options.debug)
        _set_decoder(model, options.decoder)
        if not options.windows:
            return model
        from keras_video.inference import Predictor

        return Predictor(model)
    from keras_video.console import quiet_tensorflow
    from keras_video.inference import ExportedModel, Predictor

    ExportedModel.read(options.model)  # A directory of another kind is not taken for a preset.
    with quiet_tensorflow(options.debug):
        predictor = Predictor(options.model, options.runtime)
    _set_decoder(predictor, options.decoder)
    return predictor


def _set_decoder(model, decoder: str | None) -> None:
    if decoder and model.preprocessor:
        settings = {**model.preprocessor.get_config(), "decoder": decoder}
        model.preprocessor = type(model.preprocessor).from_config(settings)


def _windows(predictor, paths: list[Path], options: argparse.Namespace) -> Iterator:
    """A list of `WindowPrediction`s for each video, or the exception in its place."""
    for path in paths:
        windows = predictor.classify_windows(path, options.windows, options.hop, options.top_k)
        try:
            yield list(windows)
        except (ValueError, OSError) as error:
            yield error
