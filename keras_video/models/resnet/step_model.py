"""`StepModel`: a network with shifts from the past, one frame at a time."""

import keras
from keras import ops

from keras_video.layers.fold_time import FoldTime, UnfoldTime
from keras_video.layers.temporal_shift import TemporalShift
from keras_video.models.functional_model import FunctionalModel


@keras.saving.register_keras_serializable(package="keras_video")
class StepModel(FunctionalModel):
    """TSM or PP-TSM for streams: it takes one frame, and what the frames before it left.

    `model.step_model()` makes it; it shares the weights of that model and is for inference.

    Input: a dictionary of `"frame"`, `(batch, height, width, 3)` from 0 to 255, and of the states
    `"state_0"`, `"state_1"`, ..., float32.
    Output: a dictionary of `"logits"`, `(batch, num_classes)` float32 for the frame, and of the
    states for the next frame, `"next_state_0"`, `"next_state_1"`, ...

    Attributes:
        states: which output is what input of the next frame, `{"state_0": "next_state_0", ...}`:
            graphs of other runtimes have no two tensors of one name.

    Args:
        model: a `TSM` or `PPTSM` with `shift_direction="past"`.
        image_size: height and width of the frames, one number or a pair; `None` (default) for any.
        dtype: that of the model.
        name: of this one.
    """

    def __init__(self, model, image_size=None, dtype=None, name: str | None = None):
        # === Functional model ===
        size = tuple(image_size) if isinstance(image_size, list | tuple) else (image_size,) * 2
        frame = keras.Input((*size, 3), name="frame")
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
            key = f"state_{len(states)}"
            # In float32 whatever the policy: not every runtime has names for short floats.
            states[key] = keras.Input((*x.shape[1:3], channels), dtype="float32", name=key)
            # Keras wants equally many outputs of all calls; the layer has no weights to share.
            online = type(layer).from_config(layer.get_config())
            outputs, state = online(x, state=ops.cast(states[key], layer.compute_dtype))
            next_states[f"next_{key}"] = ops.cast(state, "float32")
            return outputs

        # Keras walks through the graph; the copy that it returns knows no states.
        keras.models.clone_model(
            model.backbone,
            input_tensors=frame,
            clone_function=lambda each: each,
            call_function=call,
        )
        logits = model.get_layer("classifier")(features[0])
        super().__init__(
            {"frame": frame, **states},
            {"logits": logits, **next_states},
            dtype=model.dtype_argument if dtype is None else dtype,
            name=name,
        )

        # === Config ===
        self.num_classes = model.num_classes
        self.image_size = None if size[0] is None else size
        self.states = {key: f"next_{key}" for key in states}
        self.preprocessor, self.labels = model.preprocessor, model.labels
        self._model_config = keras.saving.serialize_keras_object(model)

    def get_config(self):
        return {
            **super().get_config(),
            "model": self._model_config,
            "image_size": self.image_size and list(self.image_size),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        model = dict(config["model"])
        model["config"] = {**model["config"], "dtype": config["dtype"]}
        dtype = keras.saving.deserialize_keras_object(config["dtype"])
        model = keras.saving.deserialize_keras_object(model, custom_objects)
        return cls(model, config["image_size"], dtype, config["name"])
