"""Calls a model on shapes alone, and writes down which layer was called with what."""

import contextlib
import dataclasses
from collections.abc import Iterator

import keras

from keras_video._compat import lowered_for_cpu
from keras_video._compat_graph import TracedGraph


@dataclasses.dataclass
class LayerCall:
    """One call of a layer.

    Args:
        layer: the layer; for what the model does outside of its layers, the model.
        path: names of the layers around it and its own, the model's not among them.
        inputs: shapes of the first argument, one or a structure of them.
        parent: the call in which this one is, or `None`.
        outputs: shapes of what it returned.
        operations: numbers of the graph's operations that it made itself, not its sublayers.
    """

    layer: keras.layers.Layer
    path: str
    inputs: object = None
    parent: "LayerCall | None" = None
    outputs: object = None
    operations: list[int] = dataclasses.field(default_factory=list)


def trace_inference(model, inputs) -> tuple[list[LayerCall], TracedGraph]:
    """Calls a model in inference, in a graph that is thrown away, without weights being touched.

    Args:
        model: a built model.
        inputs: `keras.KerasTensor`s of known shapes.

    Returns:
        The calls in their order, the model's first; and the graph.
    """
    recorder = _Recorder(model)
    # The layers as they are defined, not as a CPU computes them fastest.
    token = lowered_for_cpu.set(False)
    try:
        recorder.compute_output_spec(inputs)
    finally:
        lowered_for_cpu.reset(token)
    return recorder.calls, recorder.traced


def own_layers(layer) -> list:
    """All layers within a layer, at any depth."""
    return layer._flatten_layers(include_self=False)


class _Recorder(keras.layers.Layer):
    """A layer around the model, because Keras computes the outputs' shapes of layers."""

    def __init__(self, model):
        super().__init__(dtype=model.dtype_policy)
        # In a function, so that the model is no part of this layer.
        self.run = lambda inputs: model(inputs, training=False)
        self.layers = own_layers(model)
        self.calls = [LayerCall(model, "")]

    def call(self, inputs):
        from tensorflow import is_tensor

        self.graph = next(filter(is_tensor, keras.tree.flatten(inputs))).graph
        self.current, self.marked = self.calls[0], len(self.graph.get_operations())
        self.calls[0].inputs = _shapes(inputs)
        with self._listening():
            outputs = self.run(inputs)
        self._flush()
        self.calls[0].outputs = _shapes(outputs)
        self.traced = TracedGraph(
            *(
                [tensor for tensor in keras.tree.flatten(tensors) if is_tensor(tensor)]
                for tensors in (inputs, outputs)
            )
        )
        return outputs

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Meanwhile, calls of the model's layers come by `_visit`."""
        kept = [(layer, vars(layer).get("call")) for layer in self.layers]
        try:
            for layer in self.layers:
                vars(layer)["call"] = self._listener(layer)
            yield
        finally:
            for layer, own in kept:
                del vars(layer)["call"]
                if own is not None:
                    vars(layer)["call"] = own

    def _listener(self, layer):
        original = layer.call

        def call(*args, **kwargs):
            from tensorflow.compat.v1 import get_default_graph

            # Of the body of a loop there is no telling how often it runs.
            if get_default_graph() is not self.graph:
                return original(*args, **kwargs)
            self._flush()
            around = self.current
            path = f"{around.path}/{layer.name}".lstrip("/")
            first = args[0] if args else next(iter(kwargs.values()), None)
            self.current = LayerCall(layer, path, _shapes(first), around)
            self.calls.append(self.current)
            try:
                outputs = original(*args, **kwargs)
                self._flush()
                self.current.outputs = _shapes(outputs)
                return outputs
            finally:
                self.current = around

        return call

    def _flush(self) -> None:
        """What the graph has got since the last time belongs to the current call."""
        count = len(self.graph.get_operations())
        self.current.operations.extend(range(self.marked, count))
        self.marked = count


def _shapes(structure):
    """The shapes of the tensors in a structure; a single tensor's as such."""
    return keras.tree.map_structure(
        lambda leaf: tuple(leaf.shape) if hasattr(leaf, "shape") else None, structure
    )
