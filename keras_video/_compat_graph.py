"""What TensorFlow's graph of a model tells without running it: products, and memory over time."""

import dataclasses
import math
from collections.abc import Sequence

from tensorflow import raw_ops

# What an operation of the graph is, where it multiplies two tensors and adds up.
CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")
TRANSPOSED = (
    "Conv2DBackpropInput",
    "Conv3DBackpropInputV2",
    "DepthwiseConv2dNativeBackpropInput",
)
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")

# Operations that multiply in a way that isn't followed here. So may those that run a graph of their
# own, and those that aren't TensorFlow's.
OPAQUE = (
    *("CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", "PyFunc", "PyFuncStateless", "EagerPyFunc"),
    *("SparseMatMul", "SparseTensorDenseMatMul", "SparseMatrixMatMul", "SparseMatrixSparseMatMul"),
    *("XlaLaunch", "XlaCallModule", "QuantizedMatMul", "UniformQuantizedDot"),
)

# Outputs that are their first input's memory, seen in another way.
VIEWS = {
    *("Reshape", "Identity", "IdentityN", "Squeeze", "ExpandDims", "StopGradient", "EnsureShape"),
    *("PreventGradient", "CheckNumerics", "Snapshot"),
}
# Operations that may write over an input that nothing else needs.
ELEMENTWISE = {
    *("Add", "AddV2", "AddN", "BiasAdd", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "Neg"),
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign"),
    *("Erf", "Exp", "Log", "Sqrt", "Rsqrt", "Square", "Pow", "Abs", "SquaredDifference"),
    *("Softmax", "LogSoftmax", "SelectV2", "Select", "ClipByValue"),
}


@dataclasses.dataclass(frozen=True)
class Product:
    """Multiplications and additions of one operation.

    Args:
        kind: `"conv"`; `"linear"`, of data with weights; or `"matmul"`, of data with data.
        count: multiply-adds, or `None` where a size isn't known.
    """

    kind: str
    count: int | None


class TracedGraph:
    """The graph in which a model was called, with TensorFlow's tensors.

    Args:
        inputs: tensors that the model took.
        outputs: tensors that it returned.
    """

    def __init__(self, inputs: Sequence, outputs: Sequence):
        self._inputs, self._outputs = list(inputs), list(outputs)
        self.operations = outputs[0].graph.get_operations()
        # Tensors have no hash of their own; their references have.
        self._data = {tensor.ref() for tensor in self._inputs}
        self._weights = set()
        for operation in self.operations:
            if operation.type == "ReadVariableOp":
                self._weights.update(tensor.ref() for tensor in operation.outputs)
            for known in (self._data, self._weights):
                if any(tensor.ref() in known for tensor in operation.inputs):
                    known.update(tensor.ref() for tensor in operation.outputs)

    def product(self, operation) -> Product | None:
        """What an operation multiplies of the model's input, or `None` for nothing.

        With numbers that are no weights it is pooling, shifting or resizing, in whatever form.
        """
        is_convolution = operation.type in CONVOLUTIONS + TRANSPOSED
        is_product = operation.type in PRODUCTS and len(operation.inputs) == 2
        if not (is_convolution or is_product) or not self._sees_data(operation):
            return None
        factors = operation.inputs[1:] if operation.type in TRANSPOSED else operation.inputs
        of_data = [tensor.ref() in self._data for tensor in factors]
        learned = any(tensor.ref() in self._weights - self._data for tensor in factors)
        if not all(of_data) and not learned:
            return None
        kind = "conv" if is_convolution else "matmul" if all(of_data) else "linear"
        try:
            return Product(kind, _multiply_adds(operation))
        except UnknownSizeError:
            return Product(kind, None)

    def is_opaque(self, operation) -> bool:
        """Whether an operation may multiply the model's input unseen."""
        if not self._sees_data(operation):
            return False
        return (
            operation.type in OPAQUE
            or not hasattr(raw_ops, operation.type)
            or any(attribute.HasField("func") for attribute in operation.node_def.attr.values())
        )

    def _sees_data(self, operation) -> bool:
        return any(tensor.ref() in self._data for tensor in operation.inputs)

    def peak_memory(self) -> tuple[int, int] | None:
        """The most bytes that are needed at once, and the number of the operation at which.

        Operations run one after the other, in the order of the graph; what depends on no input
        (weights) isn't counted; an output is kept until its last reader is done; views take no
        memory, and elementwise operations write over an input that is read no more.

        Returns:
            `None` where the size of a tensor isn't known.
        """
        try:
            return self._peak_memory()
        except UnknownSizeError:
            return None

    def _peak_memory(self) -> tuple[int, int]:
        needed = self._needed()
        buffers, sizes, last_use = self._buffers(needed)
        callers = {tensor.ref() for tensor in self._inputs}
        alive = set(callers)
        total = sum(sizes[buffer] for buffer in callers)
        peak, place = 0, 0
        for number, operation in needed:
            read = {buffers[t.ref()] for t in operation.inputs if t.ref() in buffers}
            ending = {buffer for buffer in read & alive if last_use[buffer] == number}
            made = {buffers[tensor.ref()] for tensor in operation.outputs} - alive
            if operation.type in ELEMENTWISE:
                # One of what ends here becomes the output.
                (buffer,) = made
                same = [b for b in ending - callers if sizes[b] == sizes[buffer]][:1]
                alive.difference_update(same)
                ending.difference_update(same)
                total -= sum(sizes[b] for b in same)
            alive |= made
            total += sum(sizes[buffer] for buffer in made)
            if total > peak:
                peak, place = total, number
            ending |= {buffer for buffer in made if last_use[buffer] == number}
            alive -= ending
            total -= sum(sizes[buffer] for buffer in ending)
        return peak, place

    def _buffers(self, needed: list) -> tuple[dict, dict, dict]:
        """By tensors their memory; by memory its bytes, and the operation that needs it last."""
        buffers, sizes, last_use = {}, {}, {}
        for tensor in self._inputs:
            buffers[tensor.ref()] = tensor.ref()
            sizes[tensor.ref()], last_use[tensor.ref()] = _bytes(tensor), -1
        for number, operation in needed:
            for tensor in operation.inputs:
                if tensor.ref() in buffers:
                    last_use[buffers[tensor.ref()]] = number
            for place, tensor in enumerate(operation.outputs):
                buffer = buffers.get(_viewed(operation, place))
                if buffer is None:
                    buffer = tensor.ref()
                    sizes[buffer], last_use[buffer] = _bytes(tensor), number
                buffers[tensor.ref()] = buffer
        for tensor in self._outputs:
            last_use[buffers.get(tensor.ref())] = len(self.operations)
        return buffers, sizes, last_use

    def _needed(self) -> list[tuple[int, object]]:
        """The operations between inputs and outputs, with their numbers."""
        wanted = {tensor.ref() for tensor in self._outputs}
        found = []
        for number in reversed(range(len(self.operations))):
            operation = self.operations[number]
            refs = [tensor.ref() for tensor in operation.outputs]
            if self._data.isdisjoint(refs) or wanted.isdisjoint(refs):
                continue
            wanted.update(tensor.ref() for tensor in operation.inputs)
            found.append((number, operation))
        given = {tensor.ref() for tensor in self._inputs}
        return [
            (number, operation)
            for number, operation in reversed(found)
            if given.isdisjoint(tensor.ref() for tensor in operation.outputs)
        ]


class UnknownSizeError(ValueError):
    """A tensor of the graph has an axis of unknown size."""


def _sizes(tensor) -> list[int]:
    if not tensor.shape.is_fully_defined():
        raise UnknownSizeError(f"Received: {tensor}")
    return tensor.shape.as_list()


def _bytes(tensor) -> int:
    # Sizes of shapes and other variants have no bytes that matter.
    return math.prod(_sizes(tensor)) * max(tensor.dtype.size or 0, 0)


def _multiply_adds(operation) -> int:
    if operation.type == "Einsum":
        return _einsum(operation)
    if operation.type in PRODUCTS:
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = _sizes(operation.inputs[0])[-2 if transposed else -1]
        return math.prod(_sizes(operation.outputs[0])) * inner
    # Of each cell of the output, or of the input of a transposed convolution.
    cells = operation.inputs[2] if operation.type in TRANSPOSED else operation.outputs[0]
    kernel = _sizes(operation.inputs[1])
    depthwise = operation.type.startswith("Depthwise")
    return math.prod(_sizes(cells)) * math.prod(kernel[:2] if depthwise else kernel[:-1])


def _einsum(operation) -> int:
    equation = operation.get_attr("equation").decode()
    sizes, batch = {}, {}
    for term, tensor in zip(equation.partition("->")[0].split(","), operation.inputs, strict=True):
        shape = _sizes(tensor)
        before, dots, after = term.partition("...")
        free = len(shape) - len(before) - len(after)
        for place, size in enumerate(reversed(shape[len(before) : len(before) + free])):
            batch[place] = max(batch.get(place, 1), size)
        named = shape[: len(before)] + shape[len(before) + free :]
        for label, size in zip(before + after, named, strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    return math.prod(sizes.values()) * math.prod(batch.values())


def _viewed(operation, place: int):
    """The reference of the input whose memory an output is, or `None`."""
    if operation.type not in VIEWS:
        return None
    return operation.inputs[place if operation.type == "IdentityN" else 0].ref()
