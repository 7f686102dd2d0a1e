"""`fold_scales`: what batch normalisation multiplies by goes into the weights before it."""

from collections import Counter

import numpy as np

_PRODUCTS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul")
_SUMS = ("BiasAdd", "AddV2")


def fold_scales(graph) -> None:
    """Folds constant factors of channels into the constant weights of what they multiply.

    A convolution, depthwise convolution or dense layer, with or without bias, then
    `keras.layers.BatchNormalization`: its factors disappear, and an addition stays. Our own layers
    fold by themselves.

    Args:
        graph: a `GraphDef` whose constants are folded; it is changed.
    """
    nodes = {node.name: node for node in graph.node}
    uses = Counter(name.split(":")[0] for node in graph.node for name in node.input)
    for node in list(graph.node):
        if node.op != "Mul":
            continue
        factor, other = _constant_first(node, nodes)
        if factor is None or uses[other.name] != 1:
            continue
        weighted, bias = other, None
        if other.op in _SUMS:
            bias, weighted = _constant_first(other, nodes)
            if bias is None or uses[weighted.name] != 1:
                continue
        kernel = nodes.get(weighted.input[1]) if weighted.op in _PRODUCTS else None
        if kernel is None or kernel.op != "Const":
            continue
        if weighted.op == "MatMul" and weighted.attr["transpose_b"].b:
            continue
        if uses[kernel.name] != 1 or (bias is not None and uses[_constant_name(other, nodes)] != 1):
            continue
        values = _values(kernel)
        filters = values[0, 0].size if weighted.op.startswith("Depthwise") else values.shape[-1]
        if factor.size != filters or max(factor.shape, default=0) != filters:
            continue
        shape = values.shape[2:] if weighted.op.startswith("Depthwise") else (filters,)
        _scale(kernel, factor.reshape(shape))
        if bias is not None:
            _scale(nodes[_constant_name(other, nodes)], factor.reshape(-1))
        node.op = "Identity"
        node.input[:] = [other.name]


def _constant_first(node, nodes: dict) -> tuple:
    """The value of the one constant that a node takes, and the node of its other input."""
    inputs = [nodes.get(name) for name in node.input]
    if len(inputs) != 2 or None in inputs:
        return None, None
    if inputs[0].op == "Const":
        inputs.reverse()
    other, constant = inputs
    if constant.op != "Const" or other.op == "Const":
        return None, None
    return _values(constant), other


def _values(constant) -> np.ndarray:
    import tensorflow as tf

    return tf.make_ndarray(constant.attr["value"].tensor)


def _constant_name(node, nodes: dict) -> str:
    return next(name for name in node.input if nodes[name].op == "Const")


def _scale(constant, factor: np.ndarray) -> None:
    import tensorflow as tf

    values = _values(constant) * factor
    constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
