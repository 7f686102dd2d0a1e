"""`FrozenGraph`: a network as one graph of TensorFlow with its weights as constants."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras

from keras_video._compat import (
    keeping_lstms_whole,
    lowered_for_cpu,
    optimize_graph,
    tracing_for_export,
)
from keras_video.export.fold_scales import fold_scales
from keras_video.export.inference_function import LARGEST_CONSTANT
from keras_video.inference.exported_model import TensorSpec

_numbers = itertools.count()


@dataclass(frozen=True)
class FrozenGraph:
    """What every exported file is made of.

    Attributes:
        graph: a `GraphDef` without calls of functions but those of loops; its placeholders bear the
            names of the inputs.
        tensors: which of its tensors is which output: `{"logits": "Identity:0"}`.
        inputs: by name.
        outputs: by name.
    """

    graph: object
    tensors: dict[str, str]
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    def function(self):
        """The graph as a concrete function: named tensors in, a dictionary of tensors out."""
        import tensorflow as tf

        graph = type(self.graph)()
        graph.CopyFrom(self.graph)
        _lower_loops(graph, True)
        _rename_functions(graph)

        @tf.function(autograph=False)
        def serving_default(**arrays):
            results = tf.graph_util.import_graph_def(
                graph, arrays, list(self.tensors.values()), name=""
            )
            named = zip(self.tensors, results, strict=True)
            return {name: tf.identity(tensor, name) for name, tensor in named}

        return serving_default.get_concrete_function(**_tensor_specs(self.inputs))


def freeze(
    model: keras.Model,
    inputs: dict[str, TensorSpec],
    outputs: dict[str, TensorSpec],
    for_cpu: bool = False,
    whole_lstms: bool = False,
) -> FrozenGraph:
    """The graph of a model in inference.

    Batch normalisation is folded into the kernels of the convolutions.

    Args:
        model: a functional model. TensorFlow backend only.
        inputs: by name, of sizes that the model takes.
        outputs: by name.
        for_cpu: whether layers take the form that TensorFlow computes fastest on CPUs.
        whole_lstms: whether LSTMs are operations, `BlockLSTMV2`, in place of loops.
    """

    def call(**arrays):
        taken = arrays if isinstance(model.input, dict) else next(iter(arrays.values()))
        results = call_frozen(model, taken)
        return results if isinstance(results, dict) else dict.fromkeys(outputs, results)

    return freeze_function(call, inputs, outputs, for_cpu, whole_lstms)


def call_frozen(model: keras.Model, inputs):
    """What a model makes of inputs, with its weights as constants of the graph."""
    import tensorflow as tf

    in_float32 = getattr(model.dtype_policy, "compute_dtype", None) == "float32"

    def constants(variables) -> list:
        values = []
        for variable in variables:
            with tf.init_scope():
                value = keras.ops.convert_to_numpy(variable)
                # The graph refers to it until all is folded; halves are to be made of no other.
                if in_float32 and value.nbytes > LARGEST_CONSTANT:
                    value = tf.constant(value)
            values.append(value if tf.is_tensor(value) else tf.constant(value))
        return values

    weights = constants(model.trainable_variables), constants(model.non_trainable_variables)
    outputs, _ = model.stateless_call(*weights, inputs, training=False)
    return outputs


def freeze_function(
    call: Callable[..., dict],
    inputs: dict[str, TensorSpec],
    outputs: dict[str, TensorSpec],
    for_cpu: bool = False,
    whole_lstms: bool = False,
) -> FrozenGraph:
    """As `freeze`, of a function of TensorFlow, from named tensors to a dictionary."""
    import tensorflow as tf

    @tf.function(autograph=False, input_signature=list(_tensor_specs(inputs).values()))
    def traced(*arrays):
        results = call(**dict(zip(inputs, arrays, strict=True)))
        return [results[name] for name in outputs]

    lstms = keeping_lstms_whole() if whole_lstms else contextlib.nullcontext()
    with tracing_for_export(), _lowering(for_cpu), lstms:
        concrete = traced.get_concrete_function()
    # Outputs come in the order of the names.
    tensors = {name: tensor.name for name, tensor in zip(outputs, concrete.outputs, strict=True)}
    meta_graph = tf.compat.v1.MetaGraphDef(graph_def=concrete.graph.as_graph_def())
    captured = {placeholder.op.name: tensor for tensor, placeholder in concrete.graph.captures}
    # Weights are large: no more copies of them than needed.
    del concrete, traced
    graph = _folded(meta_graph, [*inputs, *captured], list(tensors.values()))
    for node in graph.node:
        if node.name in captured:
            _make_constant(node, captured.pop(node.name))
    return FrozenGraph(graph, tensors, inputs, outputs)


def _make_constant(node, tensor) -> None:
    """Puts a tensor in the place of its placeholder."""
    import tensorflow as tf

    node.op = "Const"
    node.attr.clear()
    node.attr["dtype"].type = tensor.dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(tensor.numpy()))


def _tensor_specs(specs: dict[str, TensorSpec]) -> dict:
    import tensorflow as tf

    return {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()}


@contextlib.contextmanager
def _lowering(for_cpu: bool):
    token = lowered_for_cpu.set(for_cpu)
    try:
        yield
    finally:
        lowered_for_cpu.reset(token)


def _folded(meta_graph, inputs: list[str], outputs: list[str]):
    """Its graph without calls of functions, and with everything computed that is constant."""
    from tensorflow.compat.v1 import ConfigProto

    # Loops are kept: no runtime but TensorFlow's knows what they are lowered to.
    _lower_loops(meta_graph.graph_def, False)
    config = ConfigProto()
    rewriting = config.graph_options.rewrite_options
    rewriting.optimizers[:] = ["pruning", "function", "constfold", "dependency", "constfold"]
    rewriting.meta_optimizer_iterations = rewriting.TWO
    rewriting.meta_optimizer_timeout_ms = -1
    kept = meta_graph.collection_def["train_op"].node_list.value
    kept.extend([*(f"{name}:0" for name in inputs), *outputs])
    graph = optimize_graph(config, meta_graph)
    fold_scales(graph)
    return graph


def _lower_loops(graph, lower: bool) -> None:
    for node in _nodes(graph):
        if node.op in ("While", "StatelessWhile", "If", "StatelessIf"):
            node.attr["_lower_using_switch_merge"].b = lower


def _rename_functions(graph) -> None:
    """Gives the bodies of loops names of their own.

    Those of the model that was traced, which TensorFlow forgets when that one is deleted, would
    else be the same functions.
    """
    names = {}
    for function in graph.library.function:
        name = function.signature.name
        names[name] = function.signature.name = f"{name}_{next(_numbers)}"
    for node in _nodes(graph):
        for value in node.attr.values():
            for function in (value.func, *value.list.func):
                if function.name in names:
                    function.name = names[function.name]


def _nodes(graph) -> Iterator:
    functions = (function.node_def for function in graph.library.function)
    return itertools.chain(graph.node, *functions)
