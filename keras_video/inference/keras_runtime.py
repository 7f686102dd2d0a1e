"""Models of Keras, compiled with constant weights where TensorFlow computes."""

import keras
import numpy as np

from keras_video.inference.exported_model import TensorSpec
from keras_video.inference.runtime import Runtime, limit_tensorflow


class KerasRuntime(Runtime):
    """Runs a Keras model; later changes of its weights may not reach it.

    Args:
        model: of `keras_video.models`.
        threads: how many TensorFlow may use, for the whole process and only before it computes;
            `None` leaves that alone.
    """

    name = "keras"

    def __init__(self, model: keras.Model, threads: int | None = None):
        self.model = model
        if keras.backend.backend() == "tensorflow":
            from keras_video.export import make_inference_function

            limit_tensorflow(threads)
            self._call = make_inference_function(model)
        else:
            self._call = model.predict_on_batch
        self.inputs = {name: _spec(tensor) for name, tensor in named_inputs(model).items()}
        self.outputs = {name: _spec(tensor) for name, tensor in named_outputs(model).items()}

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if not isinstance(self.model.input, dict):
            (inputs,) = inputs.values()
        outputs = self._call(inputs)
        if not isinstance(outputs, dict):
            outputs = dict.fromkeys(self.outputs, outputs)
        return {name: keras.ops.convert_to_numpy(outputs[name]) for name in self.outputs}


def named_inputs(model: keras.Model) -> dict:
    """The inputs of a model by name: those of a dictionary, or that of its `keras.Input`."""
    if isinstance(model.input, dict):
        return dict(model.input)
    return {model.input.name: model.input}


def named_outputs(model: keras.Model) -> dict:
    """The outputs of a model by name: those of a dictionary, or one called `output_name`."""
    if isinstance(model.output, dict):
        return dict(model.output)
    return {getattr(model, "output_name", "outputs"): model.output}


def _spec(tensor) -> TensorSpec:
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    # Frames come as they are stored; the models take them so, and normalise.
    is_clip = len(tensor.shape) == 5 and tensor.shape[-1] == 3
    return TensorSpec(tuple(tensor.shape), "uint8" if is_clip else dtype)
