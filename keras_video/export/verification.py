"""What was written is opened again and compared with Keras."""

import importlib.util
from pathlib import Path

import numpy as np

from keras_video.export.export_error import ExportError
from keras_video.export.export_source import ExportSource
from keras_video.inference.exported_model import RUNTIMES_OF_FORMATS, ExportedModel
from keras_video.inference.runtimes import open_runtime
from keras_video.presets.errors import one_line

# How far outputs may be from Keras' own in float32, as a share of the largest of them.
BOUNDS = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}
_MODULES = {
    "saved_model": "tensorflow",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "litert": "ai_edge_litert",
}


def verify(source: ExportSource, described: ExportedModel, folder: Path) -> dict[str, float]:
    """Opens a folder in every installed runtime that reads its format, and compares.

    Returns:
        The largest difference in each runtime, as a share of the largest output.

    Raises:
        ExportError: a runtime refuses the file or computes something else, or none is installed.
    """
    differences = {}
    for name in installed_runtimes(described.format):
        try:
            runtime = open_runtime(folder, name)
            pairs = [
                (runtime.run(inputs), expected)
                for inputs, expected in zip(source.examples, source.expected, strict=True)
            ]
        except Exception as error:  # Whatever a runtime raises, it cannot run the file.
            raise ExportError(
                f"{name} does not run what was written: {one_line(error)}. Received: "
                f"{described.model} as {described.format}, {described.precision}"
            ) from error
        differences[name] = max(difference(actual, expected) for actual, expected in pairs)
    bound = BOUNDS.get(described.precision, np.inf)
    wrong = {name: value for name, value in differences.items() if not value <= bound}
    if wrong:
        listed = ", ".join(f"{name} by {value:.1e}" for name, value in wrong.items())
        raise ExportError(
            f"What was written does not compute what Keras does: it differs in {listed} of the "
            f"largest output, and may by {bound:.0e}. Received: {described.model} as "
            f"{described.format}, {described.precision}"
        )
    return differences


def installed_runtimes(format: str) -> list[str]:
    """The runtimes that read a format and are installed.

    Raises:
        ExportError: there are none.
    """
    known = RUNTIMES_OF_FORMATS[format]
    found = [name for name in known if importlib.util.find_spec(_MODULES[name])]
    if not found:
        raise ExportError(
            "What is exported is compared with Keras, and none of the runtimes that can run it is "
            f"installed: {list(known)}. Received: format={format!r}"
        )
    return found


def difference(actual: dict, expected: dict) -> float:
    """The largest difference of outputs, as a share of the largest of the same name.

    Of scores, their logarithms count: next to a score of 1, another network's others look alike.
    """
    differences = []
    for name, ours in expected.items():
        theirs = actual[name]
        if name == "scores":
            ours, theirs = (np.log(np.maximum(array, 1e-7)) for array in (ours, theirs))
        differences.append(float(np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1e-30)))
    return max(differences)


def top_1_agreement(source: ExportSource, folder: Path, samples: list[dict]) -> float | None:
    """The share of samples whose best class is the one that Keras computes in float32.

    `None` for models that are no classifiers.
    """
    if list(source.outputs) != ["logits"]:
        return None
    runtime = open_runtime(folder)
    same = []
    for inputs in samples:
        best = [
            outputs["logits"].mean(axis=0).argmax()
            for outputs in (runtime.run(inputs), source.compute(inputs))
        ]
        same.append(best[0] == best[1])
    return float(np.mean(same))
