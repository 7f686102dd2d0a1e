"""The command `keras-video serve`."""

import argparse
import contextlib
import dataclasses
import logging
import signal
from pathlib import Path

from keras_video.cli_common import DEFAULT_PRESET, EXIT_INTERRUPTED, natural

_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}


def add_serve(command) -> None:
    """Adds the command `serve`."""
    from keras_video.serving.settings import Settings

    serve = command(
        "serve",
        _serve,
        "answer over HTTP what happens in videos, with a page to try it",
        description="Serves a model over HTTP: POST /v1/classify or /v1/localize takes a video, / "
        "is a page to try it, /docs describes the rest. Ends on SIGTERM, after the requests that "
        "it is answering. It knows no passwords and no encryption: in front of the network, put a "
        "reverse proxy before it.",
        epilog="example: keras-video serve --preset tsm_tiny_motion & curl -F file=@clip.mp4 "
        "http://127.0.0.1:8000/v1/classify",
    )
    model = serve.add_mutually_exclusive_group()
    model.add_argument(
        "--preset",
        metavar="NAME_OR_DIR",
        help="name of a preset, directory, or hf://org/name; an ActionLocalizer, too "
        f"(default: {DEFAULT_PRESET})",
    )
    model.add_argument("--model", metavar="DIR", help="what `keras-video export` wrote")
    serve.add_argument(
        "--runtime",
        metavar="NAME",
        help="with --model: onnxruntime, openvino, litert, saved_model (default: what fits)",
    )
    serve.add_argument(
        "--threads",
        type=natural,
        default=0,
        metavar="N",
        help="that the network may use (default: 0, for all cores)",
    )
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="(default: %(default)s, this machine)",
    )
    serve.add_argument(
        "--port", type=natural, default=8000, metavar="N", help="0: any (default: %(default)s)"
    )
    serve.add_argument(
        "--allow-url",
        action="append",
        default=[],
        metavar="PREFIX",
        help="load videos from URLs that begin so, such as https://media.example.org/clips/; may "
        "be given several times (default: none)",
    )
    serve.add_argument("--temp-dir", metavar="DIR", help="where uploads are kept for a moment")
    serve.add_argument("--access-log", action="store_true", help="print a line a request")
    limits = serve.add_argument_group("limits", "of a request unless said otherwise")
    for field in dataclasses.fields(Settings):
        if "help" not in field.metadata:
            continue
        default = "" if field.default is None else f" (default: {field.default:g})"
        if isinstance(field.default, int):
            default = f" (default: {field.default})"
        limits.add_argument(
            "--" + field.name.replace("_", "-"),
            type=_whole if field.type in (int, int | None) else _number,
            metavar=field.metadata["unit"],
            help=field.metadata["help"] + default,
        )


def _number(text: str) -> float:
    factor = _UNITS.get(text[-1:].lower(), 1)
    try:
        return float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number, such as 500, 1.5 or 200M. Received: {text}"
        ) from None


def _whole(text: str) -> int:
    value = _number(text)
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise argparse.ArgumentTypeError(f"must be a whole number. Received: {text}")
    return int(value)


def _serve(options: argparse.Namespace) -> int:
    from keras_video.serving import Settings, create_app, run_server
    from keras_video.serving.run_server import warn_of_strangers

    if options.port > 65535:
        raise ValueError(f"A port is from 0 to 65535. Received: --port {options.port}")
    given = {
        field.name: value
        for field in dataclasses.fields(Settings)
        if (value := getattr(options, field.name, None)) is not None
    }
    settings = Settings(**given, allowed_urls=tuple(options.allow_url))
    predictor, name = _load(options)
    warn_of_strangers(options.host)
    if options.access_log:
        logging.basicConfig(format="%(asctime)s %(message)s")
        logging.getLogger("keras_video.serving").setLevel(logging.INFO)
    ended_by = run_server(
        create_app(predictor, settings, name),
        options.host,
        options.port,
        on_ready=lambda address: print(
            f"keras_video serves {name} at {address} (API: {address}/docs)", flush=True
        ),
    )
    return EXIT_INTERRUPTED if ended_by == signal.SIGINT else 0


def _load(options: argparse.Namespace):
    """A `Predictor` or an `ActionLocalizer`, and what it is called."""
    from keras_video.console import quiet_tensorflow

    preset = options.preset or DEFAULT_PRESET
    threads = options.threads or None
    if options.model is None and _is_localizer(preset):
        if options.runtime not in (None, "keras"):
            raise ValueError(
                "Keras runs an ActionLocalizer. "
                f"Received: --preset {preset} --runtime {options.runtime}"
            )
        return _load_localizer(options), _name_of(preset)
    from keras_video.inference import Predictor
    from keras_video.presets import PresetError

    if options.model is not None and not Path(options.model).is_dir():
        raise ValueError(f"There is no such directory. Received: --model {options.model}")
    try:
        with quiet_tensorflow(options.debug):
            predictor = Predictor(options.model or preset, options.runtime, threads)
    except PresetError:
        # What a repository of the Hub holds, its name does not tell.
        if options.model is not None or not preset.startswith("hf://"):
            raise
        with contextlib.suppress(PresetError):
            return _load_localizer(options), _name_of(preset)
        raise
    return predictor, _name_of(_preset_of(options.model) or options.model or preset)


def _preset_of(model: str | None) -> str | None:
    """What an exported model was made of, if it says so."""
    from keras_video.inference.exported_model import ExportedModel, is_exported

    return ExportedModel.read(model).preset if model and is_exported(model) else None


def _load_localizer(options: argparse.Namespace):
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(options.debug):
        from keras_video.applications import ActionLocalizer

    return ActionLocalizer.from_preset(options.preset)


def _is_localizer(preset: str) -> bool:
    from keras_video.applications.application_preset import application_presets
    from keras_video.presets.preset_files import APPLICATION

    folder = Path(preset).expanduser()
    return (folder / APPLICATION).is_file() or preset in application_presets("ActionLocalizer")


def _name_of(model: str) -> str:
    if model.startswith("hf://"):
        return model.removeprefix("hf://")
    return Path(model).expanduser().resolve().name or model
