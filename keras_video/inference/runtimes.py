"""`open_runtime`: whatever a model was exported to, ready to run."""

import os
from pathlib import Path

from keras_video.inference.exported_model import RUNTIMES_OF_FORMATS, ExportedModel, is_exported
from keras_video.inference.runtime import Runtime, limit_tensorflow
from keras_video.models.classify_videos import check_positive
from keras_video.presets.import_string import import_object

RUNTIMES = {
    "keras": "keras_video.inference.keras_runtime:KerasRuntime",
    "saved_model": "keras_video.inference.saved_model_runtime:SavedModelRuntime",
    "onnxruntime": "keras_video.inference.onnx_runtime:OnnxRuntime",
    "openvino": "keras_video.inference.openvino_runtime:OpenVINORuntime",
    "litert": "keras_video.inference.litert_runtime:LiteRTRuntime",
}


def open_runtime(model, runtime: str | None = None, threads: int | None = None) -> Runtime:
    """Opens a model for inference.

    Args:
        model: the directory of an exported model; or a Keras model, or what
            `keras_video.presets.load_preset` takes.
        runtime: `"keras"`, `"saved_model"`, `"onnxruntime"`, `"openvino"` or `"litert"`; `None` for
            the one that fits the model.
        threads: how many it may use; `None` for all cores.

    Raises:
        ImportError: the runtime is not installed; the message says how.
        ValueError: the runtime does not run such a model, or refuses the file.
    """
    if runtime is not None and runtime not in RUNTIMES:
        raise ValueError(
            f"`runtime` must be one of {list(RUNTIMES)}. Received: runtime={runtime!r}"
        )
    if threads is not None:
        check_positive(threads=threads)
    if isinstance(model, str | os.PathLike) and is_exported(model):
        described = ExportedModel.read(model)
        known = RUNTIMES_OF_FORMATS[described.format]
        if runtime not in (None, *known):
            raise ValueError(
                f"{runtime} does not run {described.format}; `keras-video export --format` writes "
                f"other formats. Received: runtime={runtime!r} for {str(model)!r}, whose runtimes "
                f"are {list(known)}"
            )
        return import_object(RUNTIMES[runtime or known[0]])(Path(model), described, threads)
    if runtime not in (None, "keras"):
        raise ValueError(
            f"{runtime} runs exported models: `keras-video export --preset {model} --out DIR`, "
            f"then give DIR. Received: runtime={runtime!r} for {str(model)!r}"
        )
    return import_object(RUNTIMES["keras"])(load(model, threads), threads)


def load(model, threads: int | None = None, **overrides):
    """A Keras model as it is, or a preset's, with other arguments."""
    if not isinstance(model, str | os.PathLike):
        return model
    import keras

    from keras_video.presets import load_preset

    if keras.backend.backend() == "tensorflow":
        limit_tensorflow(threads)

    return load_preset(model, **overrides)
