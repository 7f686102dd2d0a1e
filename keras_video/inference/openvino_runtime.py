"""Models run by OpenVINO, of its own format or as ONNX."""

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.runtime import Runtime, needs
from keras_video.presets.errors import one_line

_PRECISIONS = {"bfloat16": "bf16", "float16": "f16"}
# Each is a network of its own in memory; a server has as many as its batches have sizes.
_KEPT_SHAPES = 8


class OpenVINORuntime(Runtime):
    """Runs an `.xml` or `.onnx` file with OpenVINO on the CPU.

    OpenVINO computes in bfloat16 of its own accord where the processor can; here only models of
    that precision do. It compiles for the shapes of its inputs, which are faster than those that
    may be anything: the networks of the last eight shapes are kept.

    Args:
        directory: of the exported model.
        described: what is in it.
        threads: how many it may use; `None` for all cores.

    Raises:
        ImportError: OpenVINO is not installed.
        ValueError: it refuses the file.
    """

    name = "openvino"

    def __init__(self, directory: Path, described: ExportedModel, threads: int | None = None):
        try:
            import openvino
        except ImportError as error:
            raise needs("OpenVINO", "openvino") from error

        self._core = openvino.Core()
        precision = _PRECISIONS.get(described.precision, "f32")
        self._settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._path = str(directory / described.file)
        try:
            self._core.read_model(self._path)
        except RuntimeError as error:
            raise ValueError(
                f"OpenVINO refuses the file: {one_line(error)}. Received: {self._path!r}"
            ) from error
        # Videos are of any length: compiling takes longer than looking at one.
        self._fits_shapes = not described.with_preprocessing
        self._requests: OrderedDict = OrderedDict()
        self._lock = threading.Lock()
        self.inputs, self.outputs = described.inputs, described.outputs

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        shapes = tuple(inputs[name].shape for name in self.inputs) if self._fits_shapes else ()
        with self._lock:
            results = self._request(shapes).infer(inputs, share_inputs=True)
            return {name: np.array(results[name]) for name in self.outputs}

    def _request(self, shapes: tuple):
        if shapes not in self._requests:
            model = self._core.read_model(self._path)
            if shapes:
                model.reshape(dict(zip(self.inputs, map(list, shapes), strict=True)))
            compiled = self._core.compile_model(model, "CPU", self._settings)
            self._requests[shapes] = compiled.create_infer_request()
            if len(self._requests) > _KEPT_SHAPES:
                self._requests.popitem(last=False)
        self._requests.move_to_end(shapes)
        return self._requests[shapes]
