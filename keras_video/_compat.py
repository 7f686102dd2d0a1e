"""Everything that depends on a backend's or Keras' particulars, in one place."""

import contextvars
import sys

import keras

# Set while a function is traced: layers may take the form that is fastest in inference on a CPU.
lowered_for_cpu = contextvars.ContextVar("lowered_for_cpu", default=False)


def add(first, second):
    """`first + second`.

    On TensorFlow as `AddN`: that is what its graph optimiser fuses into the convolution before it
    (oneDNN), together with bias and activation; `AddV2` stays a pass over memory of its own.
    """
    if keras.backend.backend() == "tensorflow" and first.dtype == second.dtype:
        import tensorflow as tf

        return tf.add_n([first, second])
    return first + second


def is_building_symbolically() -> bool:
    """Whether Keras' trainer is just looking at a batch's shapes, before `fit` or `evaluate` begin.

    It does that with the steps of an epoch, and tells data sets nothing else.
    """
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name in ("_symbolic_build", "_maybe_symbolic_build"):
            return True
        frame = frame.f_back
    return False


def layers_in_order(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """All layers inside a layer or model, at every depth, in the order of the network.

    A layer comes before the layers inside it.
    """
    found = {}
    for inner in layer.layers if isinstance(layer, keras.Model) else layer._layers:
        for each in (inner, *layers_in_order(inner)):
            found.setdefault(id(each), each)
    return list(found.values())
