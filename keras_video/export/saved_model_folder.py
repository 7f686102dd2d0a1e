"""Writes models as SavedModel, ready for TensorFlow Serving."""

from collections.abc import Mapping
from pathlib import Path

from keras_video.export.export_source import ExportSource


def write_saved_model(
    source: ExportSource,
    path: Path,
    precision: str,
    metadata: Mapping[str, str],
    samples: list | None = None,
) -> None:
    """Writes a model as the folder of a SavedModel.

    Its signature `serving_default` has the inputs and the outputs by name. The metadata are files
    in `assets.extra`, where TensorFlow Serving has such things.

    Args:
        source: the model.
        path: of the folder; TensorFlow Serving takes a number as its name for the version.
        precision: in which the graph computes.
        metadata: what the file says of itself.
        samples: not used.
    """
    import tensorflow as tf

    function = source.frozen(precision, for_cpu=True).function()
    module = tf.Module()
    module.serving_default = function
    tf.saved_model.save(module, str(path), {"serving_default": function})
    extra = path / "assets.extra"
    extra.mkdir()
    for name, text in metadata.items():
        (extra / name).write_text(text, encoding="utf-8")
