"""`QuantizationPlan`: what of a graph computes in int8, and what shares a scale."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

# Their outputs hold the values of their first input, so both are of one scale.
_MOVES = {
    "AveragePool",
    "Flatten",
    "MaxPool",
    "Pad",
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
class Operation:
    """A node of a graph, whatever the format.

    Attributes:
        name: of the node.
        kind: as ONNX calls it.
        inputs: names of tensors, the data first.
        outputs: names of tensors.
    """

    name: str
    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]


@dataclass(frozen=True)
class QuantizationPlan:
    """Convolutions and what lies between them stay int8; products of matrices take int8.

    Everything else is computed in float: the normalisation of the frames, attention, layer
    normalisation, softmax. So are convolutions that end a network: of 256 numbers for all logits,
    two classes that are close would get the same one.

    Attributes:
        names: of the operations to quantise.
        ends: those of them that multiply by the weights of a network's last layer.
        tensors: names of their inputs and outputs, without constants.
        shared: sets of tensors that hold the same values in other places, such as the parts of a
            temporal shift. Of one scale they are moved without being rounded once more.
    """

    names: list[str]
    ends: set[str]
    tensors: list[str]
    shared: list[set[str]]

    @classmethod
    def of(
        cls,
        operations: Sequence[Operation],
        outputs: Collection[str],
        floats: Collection[str],
        constants: Collection[str],
        wide: Callable[[str], bool] = lambda name: True,
    ) -> "QuantizationPlan":
        """Plans for a graph.

        Args:
            operations: in the order of computation.
            outputs: names of the tensors that the graph returns.
            floats: names of the tensors of type float32.
            constants: names of the tensors that are weights.
            wide: whether the values of a tensor have a range that 256 numbers can cover. What is
                always zero has none, and two of three runtimes refuse it.
        """
        last = _last_layers(operations, outputs)
        planned, stays, roots, zeros = [], set(), {}, set()

        def root(name: str) -> str:
            while name in roots:
                name = roots[name]
            return name

        for each in operations:
            kind, inputs = each.kind, each.inputs
            if kind in _FILLED:
                zeros.update(each.outputs)
            moved = [name for name in inputs if name not in zeros]
            if not moved or not all(map(wide, {moved[0], *each.outputs}.intersection(floats))):
                continue
            if kind == "Conv":
                fits = inputs[1] in constants and each.name not in last
            elif kind in _PRODUCTS:
                fits = inputs[1] in constants
            elif kind in _MOVES | _ACTIVATIONS:
                fits = inputs[0] in stays
            else:
                fits = kind in ("Add", "Concat") and stays.issuperset(moved)
            if not fits:
                continue
            planned.append(each)
            if kind not in _PRODUCTS:
                stays.update(each.outputs)
            if kind in _MOVES:
                roots.update((name, inputs[0]) for name in each.outputs)
            elif kind == "Concat" and len({root(name) for name in moved}) == 1:
                parts = [name for name in inputs if name in zeros]
                roots.update((name, moved[0]) for name in (*parts, *each.outputs))

        tensors = {name for each in planned for name in (*each.inputs, *each.outputs)}
        tensors = sorted(tensors.intersection(floats).difference(constants))
        shared: dict[str, set[str]] = {}
        for name in tensors:
            shared.setdefault(root(name), set()).add(name)
        return cls(
            names=[each.name for each in planned],
            ends=last.intersection(each.name for each in planned),
            tensors=tensors,
            shared=[names for names in shared.values() if len(names) > 1],
        )


def _last_layers(operations: Sequence[Operation], outputs: Collection[str]) -> set[str]:
    """Names of the layers that no other layer and no average stands behind."""
    producers = {name: each for each in operations for name in each.outputs}
    reached, seen, found = list(outputs), set(outputs), set()
    while reached:
        each = producers.get(reached.pop())
        if each is None or each.kind in _AVERAGES:
            continue
        if each.kind == "Conv" or each.kind in _PRODUCTS:
            found.add(each.name)
            continue
        new = set(each.inputs) - seen
        seen |= new
        reached += new
    return found
