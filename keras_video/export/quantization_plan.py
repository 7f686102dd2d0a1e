"""`QuantizationPlan`: what of an ONNX graph computes in int8, and what shares a scale."""

from dataclasses import dataclass

# Their outputs hold the values of their first input, so both are of one scale.
_MOVES = {
    "AveragePool",
    "Flatten",
    "MaxPool",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
}
_ACTIVATIONS = {"Clip", "LeakyRelu", "Relu"}
_PRODUCTS = {"Gemm", "MatMul"}
# What averages many values: after it the rounding of each no longer matters.
_AVERAGES = {"GlobalAveragePool", "ReduceMean"}
_FILLED = {"ConstantOfShape", "Expand"}


@dataclass(frozen=True)
class QuantizationPlan:
    """Convolutions and what lies between them stay int8; products of matrices take int8.

    Everything else is computed in float: the normalisation of the frames, attention, layer
    normalisation, and the output of the last layer, where two classes that are close would
    become equal.

    Attributes:
        nodes: names of the nodes to quantise.
        tensors: names of those nodes' inputs and outputs that are not constant.
        shared: sets of tensors that hold the same values in other places, such as the parts of a
            temporal shift. Of one scale they are moved without being rounded once more.
    """

    nodes: list[str]
    tensors: list[str]
    shared: list[set[str]]

    @classmethod
    def of(cls, model, finite=lambda name: True) -> "QuantizationPlan":
        """Plans for an `onnx.ModelProto` whose nodes have names and stand in order.

        Args:
            model: the graph, with the types of its tensors (`onnx.shape_inference`).
            finite: whether the values of a tensor can be quantised.
        """
        graph = model.graph
        constants = {tensor.name for tensor in graph.initializer}
        floats = _float_tensors(graph)
        in_float = _last_convolutions(graph)
        planned, stays, roots, zeros = [], set(), {}, set()

        def root(name: str) -> str:
            while name in roots:
                name = roots[name]
            return name

        for node in graph.node:
            kind, inputs, outputs = node.op_type, list(node.input), list(node.output)
            first = inputs[0] if inputs else None
            if kind in _FILLED:
                zeros.update(outputs)
                continue
            if not all(finite(name) for name in (first, *outputs) if name in floats):
                continue
            if kind == "Conv":
                if inputs[1] not in constants or node.name in in_float:
                    continue
                stays.update(outputs)
            elif kind in _PRODUCTS:
                if inputs[1] not in constants:
                    continue
            elif kind in _MOVES | _ACTIVATIONS:
                if first not in stays:
                    continue
                stays.update(outputs)
                if kind in _MOVES:
                    roots.update((name, first) for name in outputs)
            elif kind == "Add":
                if not stays.issuperset(inputs):
                    continue
                stays.update(outputs)
            elif kind == "Concat":
                moved = [name for name in inputs if name not in zeros]
                if not moved or not stays.issuperset(moved):
                    continue
                stays.update(outputs)
                if len({root(name) for name in moved}) == 1:
                    parts = [name for name in inputs if name in zeros]
                    roots.update((name, moved[0]) for name in (*parts, *outputs))
            else:
                continue
            planned.append(node)

        tensors = {name for node in planned for name in (*node.input, *node.output)}
        tensors = sorted(name for name in (tensors & floats) - constants)
        shared = {}
        for name in tensors:
            shared.setdefault(root(name), set()).add(name)
        return cls(
            nodes=[node.name for node in planned],
            tensors=tensors,
            shared=[names for names in shared.values() if len(names) > 1],
        )


def _float_tensors(graph) -> set[str]:
    known = (*graph.value_info, *graph.input, *graph.output)
    return {value.name for value in known if value.type.tensor_type.elem_type == 1}


def _last_convolutions(graph) -> set[str]:
    """Names of the convolutions that no other layer and no average stands behind."""
    producers = {name: node for node in graph.node for name in node.output}
    reached, found = [output.name for output in graph.output], set()
    seen = set(reached)
    while reached:
        node = producers.get(reached.pop())
        if node is None or node.op_type in _PRODUCTS | _AVERAGES:
            continue
        if node.op_type == "Conv":
            found.add(node.name)
            continue
        new = set(node.input) - seen
        seen |= new
        reached += new
    return found
