"""`export_model`: a model as a directory that other runtimes run."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from importlib import metadata
from itertools import islice
from pathlib import Path

from keras_video.export.export_error import ExportError
from keras_video.export.export_report import ExportReport
from keras_video.export.export_source import ExportSource
from keras_video.export.formats import find_format
from keras_video.export.verification import BOUNDS, top_1_agreement, verify
from keras_video.export.written_whole import check_target, written_whole
from keras_video.inference.exported_model import DESCRIPTION, ExportedModel
from keras_video.presets.errors import one_line

_WRITTEN_BY = {
    "onnx": ("tf2onnx", "onnx"),
    "openvino": ("openvino",),
    "saved_model": (),
    "litert": (),
}


def export_model(
    model,
    directory: str | os.PathLike,
    format: str = "onnx",
    *,
    precision: str = "float32",
    with_preprocessing: bool = False,
    calibration: str | os.PathLike | Iterable | None = None,
    num_calibration: int = 64,
    samples: str | os.PathLike | Iterable | None = None,
) -> ExportReport:
    """Writes a model for another runtime, and checks that it computes the same there.

    The directory holds the model's file, `export.json`, and preprocessing and labels as presets
    have them, so that `keras_video.inference.Predictor` needs nothing else; the model's file says
    the same in its own metadata. Weights are constants, batch normalisation is folded into the
    convolutions, the batch is free, clips are uint8. The directory appears whole or not at all:
    before it does, every installed runtime that reads the format has run the file on real inputs.

    Args:
        model: a functional Keras model, or the name or directory of a preset.
        directory: what to write; an earlier export there is replaced.
        format: `"onnx"` (default), `"saved_model"`, `"openvino"` or `"litert"`.
        precision: `"float32"` (default), `"bfloat16"` (saved_model, openvino), `"float16"`, or
            `"int8"` (onnx, openvino, litert).
        with_preprocessing: whether the graph also samples, resizes and crops: it takes the frames
            of a whole video and returns its scores.
        calibration: for int8, videos like those that the model will see: a folder, a pattern or
            paths. Models of features take dictionaries of arrays.
        num_calibration: on how many clips of them the ranges are measured. Defaults to 64.
        samples: what is compared on, of the same kinds; `None` for the calibration, or for
            rendered clips and random features.

    Returns:
        An `ExportReport`; `print` shows it.

    Raises:
        ExportError: the format cannot hold the model or the precision, what was written computes
            something else, or the directory cannot be written.
        ImportError: a package that writes the format is not installed.

    Example:

    >>> report = keras_video.export.export_model("pp_tsm_k400", "exported/pp_tsm", "openvino")
    >>> keras_video.inference.Predictor("exported/pp_tsm").classify("clip.mp4")
    """
    check_precision(format, precision, calibration, with_preprocessing)
    target = Path(os.path.expanduser(directory))
    check_target(target)
    calibration = _sources(calibration)
    if samples is None and calibration is not None:
        samples = calibration
    source = open_source(model, _sources(samples), with_preprocessing)
    if calibration is not None:
        calibration = calibration_inputs(source, calibration, num_calibration)
    return write_export(source, target, format, precision, calibration)


def open_source(model, samples: list | None, with_preprocessing: bool) -> ExportSource:
    """What is to be exported, with or without its preprocessing."""
    if not with_preprocessing:
        return ExportSource(model, samples)
    from keras_video.export.whole_video_source import WholeVideoSource

    return WholeVideoSource(model, samples)


def calibration_inputs(source: ExportSource, calibration: list, number: int) -> list[dict]:
    """Inputs of the network: clips of videos, or arrays as they are."""
    if all(isinstance(sample, Mapping) for sample in calibration):
        return list(islice(source.sampled(calibration), number))
    from keras_video.export.calibration import calibration_samples

    return calibration_samples(source.original, calibration, number)


def check_precision(format: str, precision: str, calibration, with_preprocessing: bool) -> None:
    """Raises `ExportError` for what cannot be exported, before anything is loaded."""
    find_format(format, precision)
    if precision == "int8" and calibration is None:
        raise ExportError(
            "int8 needs `calibration`: videos like those that the model will see. What each layer "
            "computes of them tells which range its 256 numbers must cover. "
            "Received: precision='int8', calibration=None"
        )
    if precision == "int8" and with_preprocessing:
        raise ExportError(
            "int8 is for the network alone: resizing in 256 steps would blur what it sees. "
            "Received: precision='int8', with_preprocessing=True"
        )


def write_export(
    source: ExportSource,
    target: Path,
    format: str,
    precision: str = "float32",
    calibration: list[dict] | None = None,
) -> ExportReport:
    """`export_model`, of a source that several exports share; calibrated on inputs."""
    written = find_format(format, precision)
    described = source.describe(format, precision, written.file)
    with written_whole(target) as folder:
        texts = source.companions()
        metadata_of_file = {DESCRIPTION: _json(described), **texts}
        try:
            written.write(source, folder / written.file, precision, metadata_of_file, calibration)
        except (ImportError, OSError, ExportError):
            raise
        except Exception as error:  # Those of converters have no common base class.
            raise ExportError(
                f"{format} cannot hold the model: {one_line(error)}. Received: {described.model} "
                f"as {format}, {precision}"
            ) from error
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        described.write(folder)
        differences = verify(source, described, folder)
        agreement = None
        if precision == "int8":
            agreement = top_1_agreement(source, folder, calibration)
        facts = {
            "differences": differences,
            "allowed": BOUNDS.get(precision),
            "compared_on": source.compared_on,
            "versions": _versions(format),
        }
        if calibration is not None:
            facts |= {"calibration_samples": len(calibration), "top_1_agreement": agreement}
        described = replace(described, source=facts)
        described.write(folder)
        num_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return ExportReport(target, described, num_bytes, differences, BOUNDS.get(precision), agreement)


def _json(described: ExportedModel) -> str:
    return json.dumps(asdict(described), ensure_ascii=False)


def _sources(samples) -> list | None:
    """The videos of a folder or pattern; others as they are."""
    if isinstance(samples, str | os.PathLike):
        from keras_video.data.find_videos import find_videos

        return find_videos(samples)
    return None if samples is None else list(samples)


def _versions(format: str) -> dict[str, str]:
    packages = ("keras-video", "keras", "tensorflow", *_WRITTEN_BY[format])
    return {package: metadata.version(package) for package in packages}
