"""`ExportedModel`: what lies in the directory of an exported model."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from keras_video.models.classify_videos import VIEW_AVERAGES
from keras_video.presets.errors import one_line

DESCRIPTION = "export.json"
# What runs the files of a format, best first.
RUNTIMES_OF_FORMATS = {
    "saved_model": ("saved_model",),
    "onnx": ("onnxruntime", "openvino"),
    "openvino": ("openvino",),
    "litert": ("litert",),
}


@dataclass(frozen=True)
class TensorSpec:
    """An input or output.

    Attributes:
        shape: its sizes, `None` for any.
        dtype: such as `"uint8"`.
    """

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class ExportedModel:
    """What `export.json` says of the model beside it. Labels and preprocessing are files as well.

    Attributes:
        format: `"saved_model"`, `"onnx"`, `"openvino"` or `"litert"`.
        precision: `"float32"`, `"bfloat16"`, `"float16"` or `"int8"`.
        file: name of the model's file or folder in the directory.
        model: name of the model's class.
        inputs: by name. The first size is that of the batch.
        outputs: by name. A classifier's is `"logits"`, with preprocessing `"scores"`.
        view_average: what is averaged over the views of a video, `None` if it is no classifier.
        with_preprocessing: whether the graph takes the frames of a video, in place of clips.
        states: of a model that takes one frame at a time, which output is what input of the next
            frame: `{input: output}`.
        preset: where the model comes from, as it was named.
        source: further facts for people: versions, differences measured, calibration.
    """

    format: str
    precision: str
    file: str
    model: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    view_average: str | None = None
    with_preprocessing: bool = False
    states: dict[str, str] = field(default_factory=dict)
    preset: str | None = None
    source: dict = field(default_factory=dict)

    def write(self, directory: str | os.PathLike) -> None:
        """Writes `export.json` into a directory."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (Path(directory) / DESCRIPTION).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: str | os.PathLike) -> "ExportedModel":
        """Reads the description of a directory's model.

        Raises:
            ValueError: there is none, or it is damaged.
        """
        path = Path(directory) / DESCRIPTION
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            for name in ("inputs", "outputs"):
                values[name] = {
                    key: TensorSpec(tuple(spec["shape"]), spec["dtype"])
                    for key, spec in values[name].items()
                }
            described = cls(**values)
            if described.format not in RUNTIMES_OF_FORMATS:
                raise ValueError(f"format {described.format!r} is not one of keras_video's")
            if described.view_average not in (None, *VIEW_AVERAGES):
                raise ValueError(f"view_average {described.view_average!r} is unknown")
            # It may come from anyone, and must not name files elsewhere.
            if Path(described.file).name != described.file or described.file in ("", ".."):
                raise ValueError(f"file {described.file!r} is not in the directory")
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ValueError(
                f"This is no directory that `keras-video export` wrote: {one_line(error)}. "
                f"Received: {str(directory)!r}"
            ) from error
        return described


def is_exported(directory: str | os.PathLike) -> bool:
    """Whether a directory holds an exported model."""
    return (Path(directory) / DESCRIPTION).is_file()
