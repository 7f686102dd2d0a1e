"""`make_inference_function`: a model as one compiled function with constant weights."""

from collections.abc import Callable

import keras

from keras_video._compat import lowering_for_cpu

# Larger weights are matrices before which nothing is folded. As constants there would be a dozen
# copies of them while the graph is optimised.
LARGEST_CONSTANT = 32 * 2**20


def make_inference_function(model: keras.Model) -> Callable:
    """Compiles a model for inference, with its weights as constants.

    As constants the weights are folded and laid out once, when the function is traced: batch
    normalisation disappears into the kernels, and oneDNN keeps them in its own order.
    `tools/benchmark.py pp_tsm` prints what that saves on this machine.

    Later changes of the model's weights do not reach the function. Every new input shape or dtype
    is traced once. TensorFlow backend only.

    Args:
        model: a Keras model.

    Returns:
        A function from what the model takes (clips, as NumPy array or tensor; or a dictionary of
        arrays) to its logits (tensor), or its dictionary of outputs.

    Raises:
        RuntimeError: on another backend than TensorFlow.

    Example:

    >>> model = keras_video.models.PPTSM.from_preset("pp_tsm_k400")
    >>> classify = keras_video.export.make_inference_function(model)
    >>> classify(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    TensorShape([1, 400])
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "make_inference_function needs the TensorFlow backend (KERAS_BACKEND=tensorflow). "
            f"Received: backend={keras.backend.backend()!r}"
        )
    import tensorflow as tf

    trainable = [_frozen(variable) for variable in model.trainable_variables]
    non_trainable = [_frozen(variable) for variable in model.non_trainable_variables]

    @tf.function(autograph=False)
    def infer(inputs):
        with lowering_for_cpu():
            logits, _ = model.stateless_call(
                [_in_graph(value) for value in trainable],
                [_in_graph(value) for value in non_trainable],
                inputs,
                training=False,
            )
        return logits

    def run(inputs):
        return infer(tf.nest.map_structure(tf.convert_to_tensor, inputs))

    return run


def _frozen(variable):
    """A copy of a weight: an array, or a tensor if it is large."""
    import tensorflow as tf

    array = keras.ops.convert_to_numpy(variable)
    return array if array.nbytes <= LARGEST_CONSTANT else tf.constant(array)


def _in_graph(value):
    """A constant of the graph, or a tensor that the graph refers to."""
    import tensorflow as tf

    return value if tf.is_tensor(value) else tf.constant(value)
