"""Writes frozen graphs as ONNX."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from keras_video.export.export_source import ExportSource
from keras_video.export.frozen_graph import FrozenGraph
from keras_video.inference.runtime import needs

# What ONNX Runtime 1.16 and OpenVINO 2025 read in full.
OPSET = 17


def write_onnx(
    source: ExportSource,
    path: Path,
    precision: str,
    metadata: Mapping[str, str],
    samples: list | None = None,
) -> None:
    """Writes a model as an `.onnx` file.

    Args:
        source: the model.
        path: of the file.
        precision: of its weights and what is computed with them.
        metadata: what the file says of itself, as `metadata_props`.
        samples: for int8, inputs that tell the ranges.
    """
    frozen = source.frozen(
        "float16" if precision == "float16" else "float32", whole_lstms=source.has_lstms
    )
    try:
        import onnx
        import tensorflow as tf
        import tf2onnx
    except ImportError as error:
        raise needs("tf2onnx and onnx", "export") from error

    tensors = {f"{name}:0": name for name in frozen.inputs}
    tensors |= {tensor: name for name, tensor in frozen.tensors.items()}
    with _quiet(), tf.device("CPU:0"), tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(frozen.graph, name="")
        converted = tf2onnx.tfonnx.process_tf_graph(
            graph,
            input_names=[f"{name}:0" for name in frozen.inputs],
            output_names=list(frozen.tensors.values()),
            tensors_to_rename=tensors,
            opset=OPSET,
            custom_op_handlers={
                "Erfc": (_erfc, []),
                "Pad": (_pad, []),
                "PadV2": (_pad, []),
                "BlockLSTMV2": (_lstm, []),
            },
        )
        model = _optimized(converted).make_model("keras_video")
    _copy_what_loops_pass_on(model.graph)
    _name_sizes(model, frozen)
    model.producer_name, model.producer_version = "keras_video", _version()
    if precision == "int8":
        from keras_video.export.quantize_onnx import quantize_onnx

        whole = path.with_name("float32.onnx")
        onnx.save(model, str(whole))
        quantize_onnx(whole, path, samples)
        whole.unlink()
        model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.save(model, str(path))


def _optimized(graph):
    """What `tf2onnx.optimizer.optimize_graph` makes of a graph.

    That one copies the graph, or at least its weights, for every optimiser, and never lets go.
    """
    from tf2onnx.optimizer import _get_optimizers

    changing, iteration = True, 0
    while changing:
        changing = False
        for make_optimizer in _get_optimizers().values():
            optimizer = make_optimizer()
            optimizer.opt_iteration = iteration
            graph = optimizer._optimize(graph)
            graph.delete_unused_nodes(graph.outputs)
            changing = changing or optimizer.graph_been_opt
        iteration += 1
    return graph


def _copy_what_loops_pass_on(graph) -> None:
    """What the body of a loop returns as it came goes through a node: OpenVINO wants one."""
    from onnx import helper

    for loop in (node for node in graph.node if node.op_type == "Loop"):
        body = next(attribute.g for attribute in loop.attribute if attribute.name == "body")
        inputs = {value.name for value in body.input}
        for value in (value for value in body.output if value.name in inputs):
            name, value.name = value.name, f"{value.name}_passed_on"
            body.node.append(helper.make_node("Identity", [name], [value.name]))


def _name_sizes(model, frozen: FrozenGraph) -> None:
    """Gives the sizes that may be any their names: `batch` is one and the same everywhere."""
    for values, specs in (
        (model.graph.input, frozen.inputs),
        (model.graph.output, frozen.outputs),
    ):
        for value in values:
            spec = specs[value.name]
            sizes = value.type.tensor_type.shape
            del sizes.dim[:]
            for axis, size in enumerate(spec.shape):
                if size is not None:
                    sizes.dim.add().dim_value = size
                else:
                    sizes.dim.add().dim_param = f"{value.name}_{axis}" if axis else "batch"


def _erfc(context, node, name, args) -> None:
    """The complement of the error function, which exact GELU is made of, by the function."""
    import numpy as np
    from tf2onnx import utils

    (source,), (output,) = node.input, node.output
    shape, dtype = context.get_shape(output), context.get_dtype(output)
    context.remove_node(node.name)
    one = context.make_const(
        utils.make_name("one"), np.array(1, utils.map_onnx_to_numpy_type(dtype))
    )
    erf = context.make_node("Erf", [source])
    context.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=[output], shapes=[shape], dtypes=[dtype]
    )


def _lstm(context, node, name, args) -> None:
    """An LSTM, whose gates ONNX has in another order; only its outputs are asked for."""
    import numpy as np
    from tf2onnx import utils

    _, rows, _, _, kernel, *_, bias = node.inputs
    kernel, bias = (weights.get_tensor_value(as_list=False) for weights in (kernel, bias))
    units = len(bias) // 4
    output = node.output[6]
    shape, dtype = context.get_shape(output), context.get_dtype(output)
    context.remove_node(node.name)

    def constant(array):
        return context.make_const(utils.make_name("lstm"), np.ascontiguousarray(array)).output[0]

    def in_order(array):
        # From input, forget, candidate, output to input, output, forget, candidate.
        entering, forget, candidate, leaving = np.split(array, 4, axis=-1)
        return np.concatenate([entering, leaving, forget, candidate], axis=-1).T[None]

    split = len(kernel) - units
    biases = np.concatenate([in_order(bias), np.zeros((1, 4 * units), bias.dtype)], axis=1)
    inputs = [rows.output[0], *map(constant, (in_order(kernel[:split]), in_order(kernel[split:])))]
    inputs.append(constant(biases))
    lstm = context.make_node("LSTM", inputs, attr={"hidden_size": units}, output_count=1)
    axes = constant(np.array([1], np.int64))
    context.make_node(
        "Squeeze", [lstm.output[0], axes], outputs=[output], shapes=[shape], dtypes=[dtype]
    )


def _pad(context, node, name, args) -> None:
    """Padding: tf2onnx gives that of halves a value in float32, which runtimes refuse."""
    import numpy as np
    from onnx import TensorProto
    from tf2onnx import utils
    from tf2onnx.onnx_opset.nn import Pad

    node.type = "Pad"
    if context.get_dtype(node.output[0]) != TensorProto.FLOAT16 or not node.inputs[1].is_const():
        Pad.version_11(context, node)
        return
    paddings = node.inputs[1].get_tensor_value(as_list=False).astype(np.int64).T.flatten()
    constant = context.make_const(utils.make_name("paddings"), paddings)
    context.replace_input(node, node.input[1], constant.output[0], 1)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the lines that the conversion writes about what it does."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _version() -> str:
    from keras_video._version import __version__

    return __version__
