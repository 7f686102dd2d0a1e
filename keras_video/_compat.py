"""Everything that depends on a backend's or Keras' particulars, in one place."""

import contextlib
import contextvars
import sys
from collections.abc import Callable, Iterator

import keras

# Set while a function is traced: layers may take the form that is fastest in inference on a CPU.
lowered_for_cpu = contextvars.ContextVar("lowered_for_cpu", default=False)


@contextlib.contextmanager
def lowering_for_cpu() -> Iterator[None]:
    """What is traced meanwhile takes those forms, if TensorFlow computes on a CPU."""
    token = lowered_for_cpu.set(computes_on_cpu())
    try:
        yield
    finally:
        lowered_for_cpu.reset(token)


# Set while a model is exported: what only one kind of device has must not be in its graph.
traced_for_export = contextvars.ContextVar("traced_for_export", default=False)


@contextlib.contextmanager
def tracing_for_export() -> Iterator[None]:
    """What is traced meanwhile is to run on other devices than this one."""
    token = traced_for_export.set(True)
    try:
        yield
    finally:
        traced_for_export.reset(token)


# Set besides, where the format has LSTMs of its own: each is one operation of the graph then.
lstms_are_whole = contextvars.ContextVar("lstms_are_whole", default=False)


@contextlib.contextmanager
def keeping_lstms_whole() -> Iterator[None]:
    """What is traced meanwhile has no loops for its LSTMs."""
    token = lstms_are_whole.set(True)
    try:
        yield
    finally:
        lstms_are_whole.reset(token)


def computes_on_cpu() -> bool:
    """Whether TensorFlow is the backend and has neither GPU nor TPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return {device.device_type for device in tf.config.list_logical_devices()} <= {"CPU"}


def make_flexible_function(model) -> Callable:
    """A model in inference, compiled once for all sizes of batches and all lengths.

    `model.predict_on_batch` is compiled anew for every shape. The function sees later changes of
    the weights.

    Returns:
        A function from what the model takes, as NumPy arrays, to what it returns, as such.
    """
    if keras.backend.backend() != "tensorflow":
        return model.predict_on_batch
    import tensorflow as tf

    specs = keras.tree.map_structure(
        lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), model.input
    )

    @tf.function(input_signature=[specs], autograph=False)
    def call(inputs):
        return model(inputs, training=False)

    def run(inputs):
        inputs = keras.tree.map_structure(
            lambda spec, array: tf.convert_to_tensor(array, spec.dtype), specs, inputs
        )
        return keras.tree.map_structure(lambda tensor: tensor.numpy(), call(inputs))

    return run


def conv_over_time(rows, kernel):
    """A convolution along the first of two axes, with the kernel's gradient as matrix products.

    For a kernel of 3 x 1, oneDNN takes four times as long for that gradient as for the forward
    pass; one product of matrices for each of the kernel's places takes as long as it. TensorFlow
    only.

    Args:
        rows: `(batch, time, places, channels)`.
        kernel: `(frames, 1, channels, filters)`, `frames` odd.

    Returns:
        `(batch, time, places, filters)`.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def convolve(rows, kernel):
        def gradient(upstream):
            frames, _, channels, filters = kernel.shape
            time = tf.shape(rows)[1]
            padded = tf.pad(rows, [[0, 0], [frames // 2, frames // 2], [0, 0], [0, 0]])
            upstream_matrix = tf.reshape(upstream, (-1, filters))
            products = [
                tf.matmul(
                    tf.reshape(padded[:, place : place + time], (-1, channels)),
                    upstream_matrix,
                    transpose_a=True,
                )
                for place in range(frames)
            ]
            to_rows = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(rows),
                filter=kernel,
                out_backprop=upstream,
                strides=[1, 1, 1, 1],
                padding="SAME",
            )
            return to_rows, tf.stack(products)[:, tf.newaxis]

        return tf.nn.conv2d(rows, kernel, 1, "SAME"), gradient

    return convolve(tf.convert_to_tensor(rows), tf.convert_to_tensor(kernel))


def add(first, second):
    """`first + second`.

    On TensorFlow as `AddN`: that is what its graph optimiser fuses into the convolution before it
    (oneDNN), together with bias and activation; `AddV2` stays a pass over memory of its own.
    In files for other runtimes it is a plain addition, which these fuse, and compute in int8.
    """
    written = traced_for_export.get() and not lowered_for_cpu.get()
    if keras.backend.backend() == "tensorflow" and first.dtype == second.dtype and not written:
        import tensorflow as tf

        return tf.add_n([first, second])
    return first + second


def has_own_batch_norm(inputs) -> bool:
    """Whether `batch_norm` takes these inputs: frames in TensorFlow, of up to 32 bits."""
    dtypes = ("float32", "float16", "bfloat16")
    known = keras.backend.standardize_dtype(inputs.dtype) in dtypes and len(inputs.shape) == 4
    return keras.backend.backend() == "tensorflow" and known


def batch_norm(
    inputs, gamma, beta, epsilon: float, synchronized: bool, num_splits: int = 1
) -> tuple:
    """Normalises by the statistics of the batch, on TensorFlow, faster than Keras does.

    Args:
        inputs: `(batch, height, width, channels)`, of which halves are not made float32 in memory.
        gamma: scale, float32.
        beta: offset, float32.
        epsilon: added to the variance.
        synchronized: whether the batch is that of all replicas.
        num_splits: consecutive parts of the batch, each normalised by its own statistics.

    Returns:
        The outputs, and the mean and (biased) variance of the batch in float32.
    """
    import tensorflow as tf

    gamma, beta = tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta)
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]) // num_splits, "float32")
    replica = tf.distribute.get_replica_context() if synchronized else None
    if replica is not None and replica.num_replicas_in_sync > 1:
        return _batch_norm_over_replicas(inputs, gamma, beta, epsilon, count, replica, num_splits)

    def fused(part) -> tuple:
        outputs, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
            x=part, scale=gamma, offset=beta, mean=[], variance=[], epsilon=epsilon
        )
        return outputs, mean, unbiased * ((count - 1.0) / count)

    if inputs.dtype != tf.float32 and inputs.shape[-1] % 16 and computes_on_cpu():
        # oneDNN takes eight times as long over halves whose channels do not fill its registers.
        return _in_float32(batch_norm, inputs, gamma, beta, epsilon, synchronized, num_splits)
    if num_splits == 1:
        return fused(inputs)
    # In half the time of one pass over the whole by other means: nothing else is fused.
    outputs, means, variances = zip(*map(fused, tf.split(inputs, num_splits)), strict=True)
    return tf.concat(outputs, axis=0), *_merged(tf.stack(means), tf.stack(variances))


def _in_float32(function, inputs, *arguments) -> tuple:
    import tensorflow as tf

    outputs, *others = function(tf.cast(inputs, "float32"), *arguments)
    return tf.cast(outputs, inputs.dtype), *others


def _batch_norm_over_replicas(
    inputs, gamma, beta, epsilon: float, count, replica, num_splits: int
) -> tuple:
    import tensorflow as tf

    x = tf.cast(inputs, "float32")
    parts = [x] if num_splits == 1 else tf.split(x, num_splits)
    means, variances = zip(*(tf.nn.moments(part, [0, 1, 2]) for part in parts), strict=True)
    # One exchange between the replicas, one more on the way back. Variances within replicas are
    # added up, not squares alone, so that a large mean does not swallow them.
    means, variances = tf.concat(means, axis=0), tf.concat(variances, axis=0)
    sums = tf.concat([count[None], count * means, count * variances, count * means**2], axis=0)
    sums = replica.all_reduce("SUM", sums)
    means, within, squares = tf.split(sums[1:] / sums[0], 3)
    variances = within + tf.maximum(squares - means**2, 0.0)
    means, variances = tf.split(means, num_splits), tf.split(variances, num_splits)
    outputs = [
        (part - mean) * (gamma * tf.math.rsqrt(variance + epsilon)) + beta
        for part, mean, variance in zip(parts, means, variances, strict=True)
    ]
    outputs = outputs[0] if num_splits == 1 else tf.concat(outputs, axis=0)
    outputs = tf.cast(outputs, inputs.dtype)
    return outputs, *_merged(tf.stack(means), tf.stack(variances))


def _merged(means, variances) -> tuple:
    """The mean and variance of parts of equal size, taken together."""
    import tensorflow as tf

    if means.shape[0] == 1:
        return means[0], variances[0]
    mean, between = tf.nn.moments(means, [0])
    return mean, tf.reduce_mean(variances, axis=0) + between


def first_batch(epochs, strategy):
    """What the first replica gets first of what Keras' TensorFlow trainer iterates over."""
    import tensorflow as tf

    for _, _, batches in epochs:
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], next(batches)
        )


def is_building_symbolically() -> bool:
    """Whether Keras' trainer is just looking at a batch's shapes, before `fit` or `evaluate` begin.

    It does that with the steps of an epoch, and tells data sets nothing else.
    """
    return _is_called_by("_symbolic_build", "_maybe_symbolic_build")


def is_asking_for_signature() -> bool:
    """Whether Keras takes the shapes of a data set's first batches for those of all.

    It does that on TensorFlow; a data set whose batches differ must tell it then.
    """
    return _is_called_by("get_tf_dataset")


def _is_called_by(*names: str) -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name in names:
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


def can_be_read(tensor) -> bool:
    """Whether a tensor has values now: it is neither traced nor one replica's part of several."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        replica = tf.distribute.get_replica_context()
        alone = replica is None or replica.num_replicas_in_sync == 1
        return tf.executing_eagerly() and alone
    if backend == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    return getattr(getattr(tensor, "device", None), "type", None) != "meta"


def replica_place(variable) -> tuple:
    """The number of this replica, and how many there are, of those that `variable` is spread over.

    Raises:
        ValueError: there are several replicas, and the variable was made for one.
    """
    if keras.backend.backend() != "tensorflow":
        return 0, 1
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    count = 1 if replica is None else replica.num_replicas_in_sync
    if count == 1:
        return 0, 1
    if not hasattr(variable.value, "values"):
        raise ValueError(
            "With several replicas metrics must be made within `with strategy.scope():`. "
            f"Received: {variable.path}, made for one device"
        )
    return replica.replica_id_in_sync_group, count


def num_replicas() -> int:
    """How many replicas variables that are made now will have."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def top_k(scores, k: int) -> tuple:
    """The `k` highest of the last axis and their places; of equal ones the lower place first."""
    if keras.backend.backend() == "torch":  # Its `topk` takes any of equal ones.
        import torch

        values, places = torch.sort(scores, dim=-1, descending=True, stable=True)
        return values[..., :k], places[..., :k]
    return keras.ops.top_k(scores, k)


def optimize_graph(config, meta_graph):
    """A `GraphDef` after TensorFlow's graph optimiser, which has no public entrance."""
    from tensorflow.python.grappler import tf_optimizer

    return tf_optimizer.OptimizeGraph(config, meta_graph)


def operations_of(interpreter) -> list[dict]:
    """The operations of a `tf.lite.Interpreter`, of which only the tensors are public."""
    return list(interpreter._get_ops_details())
