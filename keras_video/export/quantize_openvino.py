"""`quantize_openvino`: an OpenVINO model with int8 arithmetic."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_video.export.quantize_onnx import quantize_onnx
from keras_video.inference.runtime import needs

_MOVES = {"Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}
_LAYERS = {"Conv", "Gemm", "MatMul"}


def quantize_openvino(
    source: Path, target: Path, samples: Iterable[Mapping[str, np.ndarray]]
) -> None:
    """Writes a float ONNX file as a model of OpenVINO that computes in int8.

    It is what `quantize_onnx` makes of the file, read by OpenVINO. (OpenVINO's own tool, NNCF,
    rounds in the midst of a temporal shift, which then runs in float, as do the convolutions after
    it.)

    Args:
        source: path of an ONNX file in float32.
        target: where to write, an `.xml` file; the weights go beside it, as `.bin`.
        samples: inputs by name, such as the network will meet; one batch at a time is in memory.

    Raises:
        ImportError: ONNX Runtime or OpenVINO is not installed.
        ValueError: there are no samples, or nothing in the model can compute in int8.

    Example:

    >>> samples = keras_video.export.calibration_samples(model, sorted(Path("videos").glob("*")))
    >>> quantize_openvino(Path("float/model.onnx"), Path("int8/model.xml"), samples)
    """
    try:
        import openvino
    except ImportError as error:
        raise needs("OpenVINO", "export") from error

    with tempfile.TemporaryDirectory(prefix="keras_video.") as folder:
        quantized = Path(folder) / "int8.onnx"
        quantize_onnx(source, quantized, samples)
        _round_once(quantized)
        model = openvino.Core().read_model(str(quantized))
        openvino.save_model(model, str(target), compress_to_fp16=False)


def _round_once(path: Path) -> None:
    """Leaves out the rounding of what was rounded already and has been moved since.

    ONNX Runtime needs it around every operation. OpenVINO sees for itself that what is moved stays
    int8, but needs the rounding right before a layer, or computes that in float.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    writers = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    scales: dict[str, tuple] = {}
    superfluous = []
    for node in graph.node:
        first = node.input[0] if node.input else None
        if node.op_type in _MOVES and first in scales:
            scales.update(dict.fromkeys(node.output, scales[first]))
        if node.op_type != "DequantizeLinear" or first not in writers:
            continue
        rounding, (output,) = writers[first], node.output
        scale = tuple(numpy_helper.to_array(constants[name]).item() for name in rounding.input[1:3])
        scales[output] = scale
        followers = readers.get(output, [])
        if scales.get(rounding.input[0]) == scale and not any(
            follower.op_type in _LAYERS for follower in followers
        ):
            superfluous.append(node)
            for follower in followers:
                for place, name in enumerate(follower.input):
                    if name == output:
                        follower.input[place] = rounding.input[0]
    for node in superfluous:
        graph.node.remove(node)
    used = Counter(name for node in graph.node for name in node.input)
    for node in [node for node in graph.node if node.op_type == "QuantizeLinear"]:
        if not used[node.output[0]]:
            graph.node.remove(node)
    onnx.save(model, str(path))
