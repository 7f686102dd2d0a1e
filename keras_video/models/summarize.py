"""`summarize`: counts a model's parameters, multiply-adds and memory."""

import math
from collections.abc import Iterable, Mapping

import keras

from keras_video.models.model_summary import LayerSummary, ModelSummary
from keras_video.models.summary_inputs import known_inputs, named_shapes

KINDS = ("conv", "linear", "matmul")


def summarize(
    model: keras.Model,
    *,
    num_frames: int | None = None,
    size: int | tuple[int, int] | None = None,
    views: int | None = None,
) -> ModelSummary:
    """Counts a model's parameters, the multiply-adds of an answer, and the memory it takes.

    The model isn't run: its graph is traced on shapes, in inference, and thrown away. Counted are
    convolutions and matrix products, as they are written in `keras.ops`: with weights, and of
    activations with each other. Not counted are additions, normalisations, activations, and
    products with fixed numbers, such as pooling.

    A layer that does its products in a form that a graph doesn't show, such as a loop over time, or
    in fewer than its definition has, says how many they are: with a method
    `multiply_adds(input_shape, output_shape)`, which returns a dictionary such as
    `{"linear": 1000}` (see `keras_video.layers.BoundaryMatching`); an attribute
    `multiply_adds_note` may add a sentence. Recurrent layers of Keras are known. Other layers with
    such operations are named in `uncounted`.

    Args:
        model: a functional model: of keras_video, of a plug-in or of Keras.
        num_frames: frames of a clip, or steps of features, where the model takes any number. By
            default the preprocessor's, or 8 frames, or 300 steps.
        size: side of the frames, or height and width, in pixels, where the model takes any. By
            default the preprocessor's, or 224.
        views: samples for a whole video. By default the preprocessor's `num_views`.

    Returns:
        A `ModelSummary`.

    Raises:
        ValueError: the model is not a functional one, or takes inputs of another size only.
        RuntimeError: the backend is not TensorFlow, whose graph is counted. The numbers are the
            same on all backends.

    Example:

    >>> summary = keras_video.models.summarize(keras_video.models.PPTSM())
    >>> summary.total_multiply_adds
    34615033856
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "Multiply-adds are counted in TensorFlow's graph; they are the same on every backend. "
            f"Start with KERAS_BACKEND=tensorflow. Received: {keras.backend.backend()}"
        )
    from keras_video._compat_trace import trace_inference

    inputs = known_inputs(model, num_frames, size)
    calls, graph = trace_inference(model, inputs)
    counted, uncounted, notes = _count(calls, graph)
    layers = _layers(calls, counted)
    batch_norms = _batch_norm_weights(model)
    peak = graph.peak_memory()
    if views is None:
        views = getattr(getattr(model, "preprocessor", None), "num_views", None)
    return ModelSummary(
        model=type(model).__name__,
        input_shapes=named_shapes(inputs),
        layers=layers,
        parameters=_size(model.weights),
        trainable_parameters=_size(model.trainable_weights),
        batch_norm_parameters=_size(batch_norms["parameters"]),
        batch_norm_statistics=_size(batch_norms["statistics"]),
        trainable_batch_norm_parameters=_size(
            weight for weight in batch_norms["parameters"] if weight.trainable
        ),
        multiply_adds={
            kind: sum(layer.multiply_adds.get(kind, 0) for layer in layers) for kind in KINDS
        },
        views=views,
        weight_bytes=sum(math.prod(w.shape) * _item_bytes(w.dtype) for w in model.weights),
        activation_bytes=None if peak is None else peak[0],
        activation_peak=None if peak is None else _place(calls, peak[1]),
        uncounted=tuple(uncounted),
        notes=tuple(notes),
    )


def _count(calls: list, graph) -> tuple[list[dict], list[str], list[str]]:
    """The multiply-adds of each call, its sublayers' apart; layers that hide some; and notes."""
    counted, hiding, notes, said = [], {}, {}, set()
    for call in calls:
        products = dict.fromkeys(KINDS, 0)
        counted.append(products)
        # A layer that says its count speaks for those within it.
        if id(call.parent) in said:
            said.add(id(call))
            continue
        stated = _stated(call)
        if stated is not None:
            said.add(id(call))
            products.update(stated)
            if note := getattr(call.layer, "multiply_adds_note", None):
                notes[f"{call.path}: {note}"] = None
            continue
        for number in call.operations:
            operation = graph.operations[number]
            product = graph.product(operation)
            if product is not None and product.count is not None:
                products[product.kind] += product.count
            if graph.is_opaque(operation) or (product is not None and product.count is None):
                hiding[call.path or call.layer.name] = None
    return counted, list(hiding), list(notes)


def _stated(call) -> Mapping[str, int] | None:
    """What a layer says of its multiply-adds, or what is known of layers of Keras."""
    layer = call.layer
    if hasattr(layer, "multiply_adds"):
        stated = dict(layer.multiply_adds(call.inputs, call.outputs))
        if unknown := set(stated) - set(KINDS):
            raise ValueError(
                f"`multiply_adds` of a layer must return numbers by {', '.join(KINDS)}. "
                f"Received: {sorted(unknown)} of {call.path!r}"
            )
        return stated
    convolutions = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    transposed = (
        *(keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose),
        keras.layers.Conv3DTranspose,
    )
    if isinstance(layer, convolutions) and not isinstance(layer, transposed):
        # Groups may be computed by a function of its own in the graph.
        per_output = math.prod(layer.kernel.shape[:-1])
        return {"conv": math.prod(call.outputs) * per_output}
    recurrent = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
    if isinstance(layer, recurrent):
        cell, (batch, steps, _) = layer.cell, call.inputs
        weights = math.prod(cell.kernel.shape) + math.prod(cell.recurrent_kernel.shape)
        return {"linear": batch * steps * weights}
    return None


def _layers(calls: list, counted: list[dict]) -> tuple[LayerSummary, ...]:
    """A row for each layer that the functional model calls, however often."""
    rows, parts = {}, {}
    for call, products in zip(calls, counted, strict=True):
        row = _row(call)
        rows.setdefault(row.path, row)
        total = parts.setdefault(row.path, dict.fromkeys(KINDS, 0))
        for kind, count in products.items():
            total[kind] += count
    seen, summaries = set(), []
    for path, row in rows.items():
        is_model = isinstance(row.layer, keras.Model)
        if is_model and not sum(parts[path].values()):
            continue
        fresh = [] if is_model else [w for w in row.layer.weights if id(w) not in seen]
        seen.update(map(id, fresh))
        summaries.append(
            LayerSummary(
                name=path or row.layer.name,
                kind="operations" if is_model else type(row.layer).__name__,
                output_shape=_first_shape(row.outputs),
                parameters=_size(fresh),
                multiply_adds=parts[path],
            )
        )
    return tuple(summaries)


def _row(call):
    """The call that a call belongs to in the summary: that of a layer which a model calls."""
    row = call
    while call.parent is not None:
        if not isinstance(call.layer, keras.Model):
            row = call
        call = call.parent
    return row


def _first_shape(shapes) -> tuple:
    while isinstance(shapes, dict | list | tuple) and shapes:
        first = next(iter(shapes.values())) if isinstance(shapes, dict) else shapes[0]
        if not isinstance(first, dict | list | tuple):
            return tuple(shapes)
        shapes = first
    return ()


def _place(calls: list, number: int) -> str:
    """The summary's layer in which an operation of the graph is."""
    found = next(call for call in calls if number in call.operations)
    row = _row(found)
    return row.path or row.layer.name


def _batch_norm_weights(model) -> dict[str, list]:
    from keras_video._compat_trace import own_layers

    norms = [
        layer for layer in own_layers(model) if isinstance(layer, keras.layers.BatchNormalization)
    ]
    statistics = [w for norm in norms for w in (norm.moving_mean, norm.moving_variance)]
    learned = [w for norm in norms for w in (norm.gamma, norm.beta) if w is not None]
    return {"parameters": _unique(learned), "statistics": _unique(statistics)}


def _unique(weights: Iterable) -> list:
    return list({id(weight): weight for weight in weights}.values())


def _size(weights: Iterable) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _item_bytes(dtype: str) -> int:
    bits = "".join(filter(str.isdigit, str(dtype).partition("_")[0]))
    return max(int(bits or 8) // 8, 1)
