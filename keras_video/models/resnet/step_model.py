"""`make_step_model`: a network with shifts from the past, one frame at a time."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_video.layers.fold_time import FoldTime, UnfoldTime
from keras_video.layers.temporal_shift import TemporalShift


def make_step_model(
    backbone: keras.Model, classifier: keras.layers.Layer, image_size=None
) -> keras.Model:
    """Rebuilds a network of clips around single frames, with the same layers.

    Args:
        backbone: a `ResNetBackbone` with `shift_direction="past"`.
        classifier: takes the mean over the frame.
        image_size: height and width, one number or a pair; `None` for any.

    Returns:
        See `ShiftedResNetClassifier.step_model`.
    """
    height, width = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    frame = keras.Input((height, width, 3), name="frame")
    states, next_states, features = {}, {}, []

    def call(layer, *args, **kwargs):
        if isinstance(layer, FoldTime):
            return args[0]
        if isinstance(layer, UnfoldTime):  # The last one.
            features.append(ops.mean(ops.cast(args[0], "float32"), axis=(1, 2)))
            return frame
        if not isinstance(layer, TemporalShift):
            return layer(*args, **kwargs)
        (x,) = args
        channels = layer.state_channels(x.shape[-1])
        if not channels:
            return x
        name = f"state_{len(states)}"
        # In float32 whatever the policy: not every runtime has names for short floats.
        states[name] = keras.Input((*x.shape[1:3], channels), dtype="float32", name=name)
        # Keras expects of a layer always the same number of outputs; it has no weights to share.
        online = type(layer).from_config(layer.get_config())
        outputs, state = online(x, state=ops.cast(states[name], layer.compute_dtype))
        next_states[name] = ops.cast(state, "float32")
        return outputs

    # Keras walks through the graph; the copy that it makes is of no use, as it knows no states.
    keras.models.clone_model(
        backbone, input_tensors=frame, clone_function=lambda layer: layer, call_function=call
    )
    outputs = {"logits": classifier(features[0]), **next_states}
    return keras.Model({"frame": frame, **states}, outputs, name="step_model")


def initial_states(inputs: Mapping, batch: int = 1) -> dict[str, np.ndarray]:
    """Zeros for the states of a step model's first frame.

    Args:
        inputs: what has a `shape` for each name of an input, states and frame.
        batch: number of streams.

    Raises:
        ValueError: a state's size is not known.
    """
    shapes = {name: tuple(x.shape)[1:] for name, x in inputs.items() if name != "frame"}
    for name, shape in shapes.items():
        if None in shape:
            raise ValueError(
                "A stream needs a model for frames of one size: give `step_model` an `image_size`. "
                f"Received: {name} of shape {shape}"
            )
    return {name: np.zeros((batch, *shape), "float32") for name, shape in shapes.items()}
