"""Models as ONNX, run by ONNX Runtime."""

from pathlib import Path

import numpy as np

from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.runtime import Runtime, needs
from keras_video.presets.errors import one_line


class OnnxRuntime(Runtime):
    """Runs an `.onnx` file with ONNX Runtime.

    Args:
        directory: of the exported model.
        described: what is in it.
        threads: how many it may use; `None` for all cores.

    Raises:
        ImportError: ONNX Runtime is not installed.
        ValueError: it refuses the file.
    """

    name = "onnxruntime"

    def __init__(self, directory: Path, described: ExportedModel, threads: int | None = None):
        try:
            import onnxruntime
        except ImportError as error:
            raise needs("ONNX Runtime", "onnx") from error

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        path = str(directory / described.file)
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # Its errors have no common base class.
            raise ValueError(
                f"ONNX Runtime refuses the file: {one_line(error)}. Received: {path!r}"
            ) from error
        self.inputs, self.outputs = described.inputs, described.outputs

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = list(self.outputs)
        return dict(zip(names, self._session.run(names, inputs), strict=True))
