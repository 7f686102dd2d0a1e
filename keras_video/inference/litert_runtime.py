"""Models for phones, run by LiteRT."""

import threading
from pathlib import Path

import numpy as np

from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.runtime import Runtime, needs
from keras_video.presets.errors import one_line


class LiteRTRuntime(Runtime):
    """Runs a `.tflite` file with LiteRT.

    Args:
        directory: of the exported model.
        described: what is in it.
        threads: how many it may use; `None` for all cores.

    Raises:
        ImportError: LiteRT is not installed.
        ValueError: it refuses the file.
    """

    name = "litert"

    def __init__(self, directory: Path, described: ExportedModel, threads: int | None = None):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise needs("LiteRT", "litert") from error
        import os

        path = str(directory / described.file)
        try:
            interpreter = Interpreter(path, num_threads=threads or os.cpu_count())
            self._interpreter = interpreter
            self._runner = interpreter.get_signature_runner("serving_default")
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"LiteRT refuses the file: {one_line(error)}. Received: {path!r}"
            ) from error
        self._lock = threading.Lock()
        self.inputs, self.outputs = described.inputs, described.outputs

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        with self._lock:
            results = self._runner(**inputs)
            return {name: np.array(results[name]) for name in self.outputs}
