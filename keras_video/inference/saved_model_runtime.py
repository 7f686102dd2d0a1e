"""Models as SavedModel, run by TensorFlow."""

from pathlib import Path

import numpy as np

from keras_video.inference.exported_model import ExportedModel
from keras_video.inference.runtime import Runtime, limit_tensorflow, needs
from keras_video.presets.errors import one_line


class SavedModelRuntime(Runtime):
    """Runs a SavedModel with TensorFlow, without Keras.

    Args:
        directory: of the exported model.
        described: what is in it.
        threads: how many TensorFlow may use, for the whole process and only before it computes;
            `None` leaves that alone.

    Raises:
        ImportError: TensorFlow is not installed.
        ValueError: it refuses the files.
    """

    name = "saved_model"

    def __init__(self, directory: Path, described: ExportedModel, threads: int | None = None):
        try:
            import tensorflow as tf
        except ImportError as error:
            raise needs("TensorFlow", "tensorflow") from error

        limit_tensorflow(threads)
        path = str(directory / described.file)
        try:
            self._loaded = tf.saved_model.load(path)
            self._function = self._loaded.signatures["serving_default"]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise ValueError(
                f"TensorFlow refuses the files: {one_line(error)}. Received: {path!r}"
            ) from error
        self._tensor = tf.convert_to_tensor
        self.inputs, self.outputs = described.inputs, described.outputs

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        results = self._function(**{name: self._tensor(array) for name, array in inputs.items()})
        return {name: results[name].numpy() for name in self.outputs}
