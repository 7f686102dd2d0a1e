"""The formats: which precisions they hold, what their files are called, what writes them."""

from dataclasses import dataclass

from keras_video.export.export_error import ExportError
from keras_video.presets.import_string import import_object

PRECISIONS = ("float32", "bfloat16", "float16", "int8")


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        file: name of the model's file or folder.
        graph_precisions: the precisions whose graph is traced in them; that of others is float32,
            and the format's own tools do the rest.
        precisions: all that it holds.
        writer: a function `(source, path, precision, metadata)`, as an import string.
    """

    file: str
    precisions: tuple[str, ...]
    writer: str
    why_not: dict[str, str]

    def write(self, *args) -> None:
        """Calls the writer."""
        import_object(self.writer)(*args)


FORMATS = {
    "onnx": ExportFormat(
        "model.onnx",
        ("float32", "float16", "int8"),
        "keras_video.export.onnx_file:write_onnx",
        {"bfloat16": "ONNX Runtime has no convolutions of bfloat16"},
    ),
    "saved_model": ExportFormat(
        # TensorFlow Serving takes folders with numbers for versions of a model.
        "1",
        ("float32", "bfloat16", "float16"),
        "keras_video.export.saved_model_folder:write_saved_model",
        {"int8": "TensorFlow has no kernels of int8 for what videos need"},
    ),
    "openvino": ExportFormat(
        "model.xml",
        ("float32", "bfloat16", "float16", "int8"),
        "keras_video.export.openvino_file:write_openvino",
        {},
    ),
    "litert": ExportFormat(
        "model.tflite",
        ("float32", "float16", "int8"),
        "keras_video.export.litert_file:write_litert",
        {"bfloat16": "LiteRT has no kernels of bfloat16"},
    ),
}


def find_format(name: str, precision: str) -> ExportFormat:
    """The format of a name.

    Raises:
        ExportError: there is none, or it does not hold the precision; the message says which do.
    """
    if name not in FORMATS:
        raise ExportError(f"`format` must be one of {list(FORMATS)}. Received: format={name!r}")
    if precision not in PRECISIONS:
        raise ExportError(
            f"`precision` must be one of {list(PRECISIONS)}. Received: precision={precision!r}"
        )
    found = FORMATS[name]
    if precision not in found.precisions:
        others = [other for other, format in FORMATS.items() if precision in format.precisions]
        raise ExportError(
            f"{found.why_not[precision]}. {precision} is for {', '.join(others)}; {name} holds "
            f"{', '.join(found.precisions)}. "
            f"Received: format={name!r}, precision={precision!r}"
        )
    return found
