"""`ResNetClassifier`: what TSN, TSM, PP-TSN and PP-TSM have in common."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_video.models.resnet.convert_paddle import paddlevideo_map
from keras_video.models.resnet.initial_states import initial_states
from keras_video.models.resnet.resnet_backbone import ResNetBackbone, frame_features
from keras_video.models.resnet.step_model import StepModel
from keras_video.models.video_classifier import VideoClassifier

# Of the reference's TSM, PP-TSM and PP-TSN: a faster classifier, no decay of its bias and of what
# batch normalisation learns. (TSN's training has no such rules.)
FAST_CLASSIFIER = (
    ("^classifier/kernel$", 5.0, 1.0),
    ("^classifier/bias$", 10.0, 0.0),
    ("/norm/(gamma|beta)$", 1.0, 0.0),
)


class ResNetClassifier(VideoClassifier):
    """A ResNet on every frame, features averaged over the clip, one dense layer.

    Subclasses set the class attributes and their own defaults.

    Attributes:
        variant: of the `ResNetBackbone`.
        activation: of the `ResNetBackbone`.
        dropout_per_frame: whether dropout acts on the features of every frame, or after averaging.
        head_std: standard deviation of the classifier's initial weights.
    """

    variant = "plain"
    activation = "relu"
    dropout_per_frame = False
    head_std = 0.01
    frames_are_independent = True
    checkpoint_maps = {"paddlevideo": paddlevideo_map}

    def __init__(
        self,
        num_classes: int,
        num_frames: int,
        depth: int,
        dropout: float,
        width: int,
        shift_ratio: float = 0.0,
        image_size: int | None = None,
        normalize="imagenet",
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
        shift_direction: str = "both",
    ):
        for argument, value in (("num_classes", num_classes), ("num_frames", num_frames)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{argument}` must be a positive integer. Received: {argument}={value!r}"
                )

        # === Layers ===
        backbone = ResNetBackbone(
            depth=depth,
            num_frames=num_frames,
            variant=self.variant,
            activation=self.activation,
            shift_ratio=shift_ratio,
            shift_direction=shift_direction,
            width=width,
            normalize=normalize,
            image_size=image_size,
            synchronized=synchronized,
            dtype=dtype,
            name="backbone",
        )
        drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        classifier = keras.layers.Dense(
            num_classes,
            kernel_initializer=keras.initializers.RandomNormal(stddev=self.head_std),
            dtype="float32",
            name="classifier",
        )

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        # The head works in float32 under mixed precision too: it costs nothing.
        features = frame_features(backbone(clips))
        if self.dropout_per_frame:
            logits = classifier(ops.mean(drop(features), axis=1))
        else:
            logits = classifier(drop(ops.mean(features, axis=1)))
        super().__init__(clips, logits, dtype=dtype, name=name)

        # === Config ===
        self.backbone = backbone
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.depth = depth
        self.dropout = dropout
        self.width = width
        self.shift_ratio = shift_ratio
        self.shift_direction = shift_direction
        self.image_size = image_size
        self.normalize = normalize
        self.synchronized = synchronized

    def feature_model(self, layers: Sequence[str] = ()) -> keras.Model:
        """See `VideoClassifier.feature_model`: a step for each frame."""
        return self.backbone.feature_model(layers)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_frames": self.num_frames,
            "depth": self.depth,
            "dropout": self.dropout,
            "width": self.width,
            "image_size": self.image_size,
            "normalize": self.normalize,
            "synchronized": self.synchronized,
        }


class ShiftedResNetClassifier(ResNetClassifier):
    """A `ResNetClassifier` with temporal shift; shifts from the past run frame by frame too."""

    frames_are_independent = False

    def step_model(self, image_size: int | tuple[int, int] | None = None) -> StepModel:
        """The network for streams: it takes one frame, and what the frames before it left.

        The mean of the logits of a clip's frames is what this model says of the clip, if the states
        are those of `initial_states` at the first frame.

        Args:
            image_size: height and width of the frames, one number or a pair; by default the
                model's own, or any. Runtimes plan better for a known size.

        Returns:
            A `StepModel`, which shares this model's weights, for inference: a dictionary of
            `"frame"` `(batch, height, width, 3)` and the states `"state_0"`, ... to one of
            `"logits"` `(batch, num_classes)` and the states for the next frame, `"next_state_0"`,
            ...

        Raises:
            ValueError: the model looks into the future.

        Example:

        >>> model = keras_video.models.TSM(num_classes=10, shift_direction="past")
        >>> step, states = model.step_model(), model.initial_states(1, 224, 224)
        >>> for frame in stream:
        ...     outputs = step.predict_on_batch({"frame": frame[None], **states})
        ...     states = {name: outputs[output] for name, output in step.states.items()}

        Reference: Lin et al., section 4.2 (online TSM).
        """
        if self.shift_direction != "past":
            raise ValueError(
                'Frame by frame runs a model with `shift_direction="past"`, trained so; this one '
                f"looks at later frames too. Received: shift_direction={self.shift_direction!r}"
            )
        return StepModel(self, image_size or self.image_size)

    def initial_states(self, batch: int, height: int, width: int) -> dict[str, np.ndarray]:
        """Zeros, the states of `step_model` before the first frame.

        Args:
            batch: number of streams.
            height: of the frames in pixels.
            width: of the frames in pixels.
        """
        step = self.step_model((height, width))
        return initial_states(step.input, step.states, batch)

    def get_config(self):
        # Not in configs of models from before there was a choice.
        direction = {"shift_direction": "past"} if self.shift_direction == "past" else {}
        return {**super().get_config(), "shift_ratio": self.shift_ratio, **direction}
