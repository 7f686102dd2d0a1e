"""Writes models in OpenVINO's own format."""

from collections.abc import Mapping
from pathlib import Path

from keras_video.export.export_source import ExportSource
from keras_video.export.onnx_file import write_onnx
from keras_video.inference.runtime import needs

# Where the metadata are in the file's `rt_info`.
SECTION = "keras_video"


def write_openvino(
    source: ExportSource,
    path: Path,
    precision: str,
    metadata: Mapping[str, str],
    samples: list | None = None,
) -> None:
    """Writes a model as an `.xml` file, with its weights in a `.bin` file beside it.

    Args:
        source: the model.
        path: of the `.xml` file.
        precision: `"float16"` stores the weights in it; `"bfloat16"` is what the file is computed
            in, not what it holds.
        metadata: what the file says of itself, as `rt_info`.
        samples: for int8, inputs that tell the ranges.
    """
    try:
        import openvino
    except ImportError as error:
        raise needs("OpenVINO", "export") from error

    made = [path.with_name(name) for name in ("frozen_graph.pb", "float32.onnx", "int8.xml")]
    graph, whole, quantized = made
    if precision == "int8":
        from keras_video.export.quantize_openvino import quantize_openvino

        write_onnx(source, whole, "float32", {})
        quantize_openvino(whole, quantized, samples)
        model = openvino.Core().read_model(quantized)
    else:
        frozen = source.frozen()
        # Read as a file: OpenVINO walks through a graph in memory in Python, which takes minutes.
        graph.write_bytes(frozen.graph.SerializeToString())
        model = openvino.Core().read_model(graph)
        for name in frozen.inputs:
            model.input(f"{name}:0").get_tensor().set_names({name})
        for name, tensor in frozen.tensors.items():
            model.output(tensor).get_tensor().set_names({name})
    for name, text in metadata.items():
        model.set_rt_info(text, [SECTION, name])
    openvino.save_model(model, path, compress_to_fp16=precision == "float16")
    # The weights of what is removed were open until here.
    del model
    for file in (*made, quantized.with_suffix(".bin")):
        file.unlink(missing_ok=True)
