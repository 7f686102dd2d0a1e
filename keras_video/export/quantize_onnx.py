"""`quantize_onnx`: an ONNX file with int8 arithmetic."""

import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_video.export.calibration import no_samples
from keras_video.export.quantization_plan import Operation, QuantizationPlan
from keras_video.inference.runtime import needs

# As nodes that are added and tensors that are kept must not clash with the model's own.
_LOWEST, _HIGHEST = "/lowest", "/highest"

_SMALLEST_RANGE = 1e-5


def quantize_onnx(source: Path, target: Path, samples: Iterable[Mapping[str, np.ndarray]]) -> None:
    """Writes a float ONNX file anew, computing in int8 where that pays (`QuantizationPlan`).

    Weights are int8 with a scale for every channel, activations uint8 with one that the samples
    decide. Inputs and outputs keep their names, shapes and types; metadata stays. ONNX Runtime's
    own tools do the work, in the form that it and others read (pairs of `QuantizeLinear` and
    `DequantizeLinear`).

    Args:
        source: path of an ONNX file in float32.
        target: where to write.
        samples: inputs by name, such as the network will meet; one batch at a time is in memory.

    Raises:
        ImportError: onnx or ONNX Runtime is not installed.
        ValueError: there are no samples, or nothing in the model can compute in int8.

    Example:

    >>> samples = keras_video.export.calibration_samples(model, sorted(Path("videos").glob("*")))
    >>> quantize_onnx(Path("float/model.onnx"), Path("int8/model.onnx"), samples)
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise needs("ONNX and ONNX Runtime", "export") from error

    with tempfile.TemporaryDirectory(prefix="keras_video.") as folder:
        model = _prepare(source, Path(folder))
        plan = _plan(model)
        ranges = _measure(model, plan.tensors, samples)
        plan = _plan(model, wide=lambda name: name not in ranges or _is_wide(*ranges[name]))
        if not plan.names:
            raise ValueError(
                "The model has no convolution and no product with constant weights that could "
                f"compute in int8. Received: {str(source)!r}"
            )
        quantized = _quantize(model, plan, _share(ranges, plan))
    onnx.save(_signed(quantized, onnx.load(str(source), load_external_data=False)), str(target))


def _prepare(source: Path, folder: Path):
    """The model as ONNX Runtime simplifies it for any machine, with the types of all tensors."""
    import onnx
    import onnxruntime

    target = folder / "prepared.onnx"
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    model = onnx.load(str(target))
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.name or node.op_type}/{number}"
    return onnx.shape_inference.infer_shapes(model)


def _plan(model, **wide) -> QuantizationPlan:
    graph = model.graph
    values = (*graph.value_info, *graph.input, *graph.output)
    return QuantizationPlan.of(
        [Operation(node.name, node.op_type, node.input, node.output) for node in graph.node],
        outputs={output.name for output in graph.output},
        floats={value.name for value in values if value.type.tensor_type.elem_type == 1},
        constants={tensor.name for tensor in graph.initializer},
        **wide,
    )


def _measure(model, tensors: list[str], samples) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The lowest and the highest value that each tensor takes in the samples."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    names = []
    for tensor in tensors:
        for kind, suffix in (("ReduceMin", _LOWEST), ("ReduceMax", _HIGHEST)):
            names.append(tensor + suffix)
            watched.graph.node.append(helper.make_node(kind, [tensor], [names[-1]], keepdims=0))
            watched.graph.output.append(
                helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, ())
            )
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), _options(), providers=["CPUExecutionProvider"]
    )
    lowest, highest = np.full(len(tensors), np.inf), np.full(len(tensors), -np.inf)
    any_samples = False
    for sample in samples:
        any_samples = True
        values = session.run(names, dict(sample)) if names else []
        # Not a number goes through both.
        lowest, highest = np.minimum(lowest, values[::2]), np.maximum(highest, values[1::2])
    if not any_samples:
        raise no_samples()
    pairs = zip(lowest.astype("float32"), highest.astype("float32"), strict=True)
    return dict(zip(tensors, pairs, strict=True))


def _is_wide(lowest: float, highest: float) -> bool:
    return np.isfinite(highest - lowest) and highest - lowest > _SMALLEST_RANGE


def _share(ranges: dict, plan: QuantizationPlan) -> dict:
    """The ranges of the plan's tensors, one for each set that shares."""
    ranges = {name: ranges[name] for name in plan.tensors}
    for names in plan.shared:
        lowest, highest = zip(*(ranges[name] for name in names), strict=True)
        ranges.update(dict.fromkeys(names, (min(lowest), max(highest))))
    return ranges


def _quantize(model, plan: QuantizationPlan, ranges: dict):
    from onnxruntime.quantization import (
        CalibrationMethod,
        QDQQuantizer,
        QuantType,
        TensorsData,
    )

    names = set(plan.names)
    with warnings.catch_warnings():
        # Numbers that are none would be written as if they were.
        warnings.simplefilter("error", RuntimeWarning)
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, ranges),
            nodes_to_quantize=plan.names,
            nodes_to_exclude=[],
            op_types_to_quantize=sorted(
                {node.op_type for node in model.graph.node if node.name in names}
            ),
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},
        )
        quantizer.quantize_model()
    quantizer.model.topological_sort()
    return quantizer.model.model


def _signed(model, original):
    """The model with what the original says of itself, and with the operator sets that it uses."""
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    model.producer_name = original.producer_name
    model.producer_version = original.producer_version
    used = {node.domain for node in model.graph.node}
    for each in [each for each in model.opset_import if each.domain not in used]:
        model.opset_import.remove(each)
    return model


def _options():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options
