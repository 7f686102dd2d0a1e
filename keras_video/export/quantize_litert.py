"""`quantize_litert`: a `.tflite` file with int8 arithmetic."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from keras_video._compat import operations_of
from keras_video.export.calibration import no_samples
from keras_video.export.quantization_plan import Operation, QuantizationPlan

# Its names of operations that a plan knows.
_KINDS = {
    "ADD": "Add",
    "AVERAGE_POOL_2D": "AveragePool",
    "BATCH_MATMUL": "MatMul",
    "CONCATENATION": "Concat",
    "CONV_2D": "Conv",
    "DEPTHWISE_CONV_2D": "Conv",
    "EXPAND_DIMS": "Unsqueeze",
    "FILL": "Expand",
    "FULLY_CONNECTED": "Gemm",
    "LEAKY_RELU": "LeakyRelu",
    "MAX_POOL_2D": "MaxPool",
    "MEAN": "ReduceMean",
    "MIRROR_PAD": "Pad",
    "PAD": "Pad",
    "RELU": "Relu",
    "RESHAPE": "Reshape",
    "SLICE": "Slice",
    "SPLIT_V": "Split",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "Slice",
    "TRANSPOSE": "Transpose",
}

_SMALLEST_SCALE = 1e-7


def quantize_litert(function, samples: Iterable[Mapping[str, np.ndarray]]) -> bytes:
    """Converts a function of TensorFlow for LiteRT, computing in int8 where there is a kernel.

    Weights are int8 with a scale for every channel, activations int8 with one that the samples
    decide. Tensors that are only moved, such as the parts of a temporal shift, keep their scale.
    What has no kernel in int8 is computed in float. Inputs and outputs keep their types.

    Args:
        function: a concrete function of named tensors, with its weights as constants
            (`FrozenGraph.function`).
        samples: inputs by name, such as the network will meet; one batch at a time is in memory.

    Returns:
        The contents of the file.

    Raises:
        ValueError: there are no samples.

    Example:

    >>> samples = keras_video.export.calibration_samples(model, sorted(Path("videos").glob("*")))
    >>> Path("model.tflite").write_bytes(quantize_litert(frozen.function(), samples))
    """
    import tensorflow as tf

    used = 0

    def representative_dataset():
        nonlocal used
        for sample in samples:
            used += 1
            yield dict(sample)
        if not used:
            raise no_samples()

    # With an object to belong to, the file keeps the names of inputs and outputs.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative_dataset
    with _quiet(), warnings.catch_warnings():
        # It measures with an interpreter that it says is outdated.
        warnings.simplefilter("ignore")
        # The converter itself quantises all operations or none.
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=representative_dataset
        )
        debugger.options = tf.lite.experimental.QuantizationDebugOptions(
            denylisted_nodes=_in_float(
                debugger.calibrated_model, debugger.get_nondebug_quantized_model()
            )
        )
        return debugger.get_nondebug_quantized_model()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the lines that the converter and its interpreters write past Python."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


def _in_float(model: bytes, quantized: bytes) -> list[str]:
    """Names of the first outputs of all operations that are to compute in float.

    Args:
        model: with the ranges of its tensors.
        quantized: the same in int8, whole.
    """
    import tensorflow as tf

    narrow = {
        each["name"]
        for each in tf.lite.Interpreter(model_content=quantized).get_tensor_details()
        if min(each["quantization_parameters"]["scales"], default=1) < _SMALLEST_SCALE
    }
    interpreter = tf.lite.Interpreter(model_content=model)
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    names = {index: each["name"] for index, each in details.items()}
    operations = [
        Operation(
            names[each["outputs"][0]],
            _KINDS.get(each["op_name"], each["op_name"]),
            [names.get(index, "") for index in each["inputs"]],
            [names[index] for index in each["outputs"]],
        )
        for each in operations_of(interpreter)
    ]
    given = {names[each["index"]] for each in interpreter.get_input_details()}
    computed = {name for each in operations for name in each.outputs}
    filled = {each.name for each in operations if each.kind == "Expand"}
    plan = QuantizationPlan.of(
        operations,
        outputs={names[each["index"]] for each in interpreter.get_output_details()},
        floats={each["name"] for each in details.values() if each["dtype"] is np.float32},
        constants=set(names.values()) - given - computed,
        wide=lambda name: name not in narrow,
    )
    # What is filled in takes the scale of what it is joined to.
    in_int8 = filled.union(plan.names) - plan.ends
    return [each.name for each in operations if each.name not in in_int8]
