"""Models for phones, run by LiteRT."""

import threading
from pathlib import Path

import numpy as np

from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.runtime import Runtime, needs
from keras_video.presets.errors import one_line


class LiteRTRuntime(Runtime):
    """Runs a `.tflite` file with LiteRT.

    Its fast kernels (XNNPACK) refuse some graphs in int8 which its own kernels compute: those take
    over then.

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
        import os

        self._path, self._threads = str(directory / described.file), threads or os.cpu_count()
        self._has_delegate = True
        try:
            self._open()
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"LiteRT refuses the file: {one_line(error)}. Received: {self._path!r}"
            ) from error
        self._lock = threading.Lock()
        self.inputs, self.outputs = described.inputs, described.outputs

    def _open(self, **options) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise needs("LiteRT", "litert") from error
        self._interpreter = Interpreter(self._path, num_threads=self._threads, **options)
        self._runner = self._interpreter.get_signature_runner("serving_default")

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        with self._lock:
            try:
                results = self._runner(**inputs)
            except RuntimeError:
                if not self._has_delegate:
                    raise
                from ai_edge_litert.interpreter import OpResolverType

                without = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                self._open(experimental_op_resolver_type=without)
                self._has_delegate = False
                results = self._runner(**inputs)
            return {name: np.array(results[name]) for name in self.outputs}
