"""Writes models for LiteRT, that is TensorFlow Lite."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from keras_video.export.export_source import ExportSource


def write_litert(
    source: ExportSource,
    path: Path,
    precision: str,
    metadata: Mapping[str, str],
    samples: list | None = None,
) -> None:
    """Writes a model as a `.tflite` file, of LiteRT's own operations alone.

    Its signature `serving_default` has the inputs and the outputs by name.

    Args:
        source: the model.
        path: of the file.
        precision: `"float16"` stores the weights in it; they are computed with in float32 where a
            device has nothing else.
        metadata: what the file says of itself: a zip archive at its end, as TensorFlow Lite's
            metadata have it.
        samples: for int8, inputs that tell the ranges.
    """
    import tensorflow as tf

    function = source.frozen().function()
    if precision == "int8":
        from keras_video.export.quantize_litert import quantize_litert

        path.write_bytes(quantize_litert(function, samples))
    else:
        # Only of a module that has the function does the file get a signature.
        module = tf.Module()
        module.serving_default = function
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
        if precision == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, text in metadata.items():
            archive.writestr(name, text)
