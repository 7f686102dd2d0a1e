"""`ResNetBackbone`: a ResNet applied to every frame, optionally with temporal shift."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_video._compat import lowered_for_cpu, traced_for_export
from keras_video.layers.conv_norm import ConvNorm, add_activate
from keras_video.layers.fold_time import FoldTime, UnfoldTime
from keras_video.layers.temporal_shift import TemporalShift
from keras_video.models.functional_model import FunctionalModel
from keras_video.models.resnet.convert_paddle import paddleclas_map
from keras_video.models.resnet.convert_torchvision import TORCHVISION
from keras_video.models.resnet.convert_videotag import VIDEOTAG_BACKBONE
from keras_video.models.resnet.resnet_stages import STAGES
from keras_video.models.rgb_normalization import rgb_normalization
from keras_video.presets.errors import did_you_mean


@keras.saving.register_keras_serializable(package="keras_video")
class ResNetBackbone(FunctionalModel):
    """ResNet features of every frame of a clip.

    The 3x3 convolution of a block carries its stride ("v1.5"). `variant="vd"` adds the tweaks C
    and D of He et al. 2018: a stem of three 3x3 convolutions, and shortcuts that average-pool
    before a 1x1 convolution of stride 1.

    Input shape: `(batch, num_frames, height, width, 3)`, RGB from 0 to 255.
    Output shape: `(batch, num_frames, ceil(height / 32), ceil(width / 32), channels)`, where
    channels is `32 * width` for depths from 50 and `8 * width` below.

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_frames: frames of a clip. Defaults to 8.
        variant: `"plain"` (default) or `"vd"`.
        activation: `"relu"` (default) or `"leaky_relu"`.
        shift_ratio: share of the channels that `TemporalShift` moves each way at the input of every
            residual branch; 0 (default) for a network without shift.
        shift_direction: of `TemporalShift`: `"both"` (default), or `"past"` for a network that can
            take a stream one frame at a time.
        width: channels of the first stage, an even number. Defaults to 64.
        normalize: `"imagenet"` (default), a pair `(mean, std)` of three numbers each in units of
            0 to 1, or `None` where inputs are normalised already.
        image_size: height and width of the frames, an integer, or `None` (default) for any.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
        dtype: dtype policy of all layers.

    Example:

    >>> backbone = keras_video.models.ResNetBackbone(depth=50, shift_ratio=1 / 8)
    >>> backbone.predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    (1, 8, 7, 7, 2048)

    Its presets are networks trained on images; `keras_video.training.load_backbone` puts them into
    a video model.

    References: https://arxiv.org/abs/1512.03385, https://arxiv.org/abs/1812.01187
    """

    checkpoint_maps = {
        "paddleclas": paddleclas_map,
        "torchvision": TORCHVISION,
        "videotag": VIDEOTAG_BACKBONE,
    }

    def __init__(
        self,
        depth: int = 50,
        num_frames: int = 8,
        variant: str = "plain",
        activation: str = "relu",
        shift_ratio: float = 0.0,
        width: int = 64,
        normalize="imagenet",
        image_size: int | None = None,
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
        shift_direction: str = "both",
    ):
        if depth not in STAGES:
            raise ValueError(f"`depth` must be one of {list(STAGES)}. Received: depth={depth!r}")
        if variant not in ("plain", "vd"):
            raise ValueError(f'`variant` must be "plain" or "vd". Received: variant={variant!r}')
        if not isinstance(width, int) or width < 2 or width % 2:
            raise ValueError(f"`width` must be a positive even number. Received: width={width!r}")
        if image_size is not None and (not isinstance(image_size, int) or image_size < 1):
            raise ValueError(
                "`image_size` must be a positive integer, or None for frames of any size. "
                f"Received: image_size={image_size!r}"
            )
        normalization = rgb_normalization(normalize)

        # === Layers ===
        def conv(filters, kernel_size, strides=1, activation=activation, name=None):
            return ConvNorm(
                filters,
                kernel_size,
                strides,
                activation,
                synchronized=synchronized,
                dtype=dtype,
                name=name,
            )

        def shortcut(x, filters, strides, name):
            if variant == "vd" and strides > 1:
                pool = keras.layers.AveragePooling2D(
                    2, 2, "same", data_format="channels_last", dtype=dtype, name=f"{name}_pool"
                )
                return conv(filters, 1, activation=None, name=name)(pool(x))
            return conv(filters, 1, strides, activation=None, name=name)(x)

        def residual_block(x, filters, strides, name):
            branch = x
            if shift_ratio:
                shift = TemporalShift(
                    shift_ratio, num_frames, shift_direction, dtype=dtype, name=f"{name}_shift"
                )
                branch = shift(branch)
            if depth >= 50:
                out_filters = 4 * filters
                branch = conv(filters, 1, name=f"{name}_conv1")(branch)
                branch = conv(filters, 3, strides, name=f"{name}_conv2")(branch)
                branch = conv(out_filters, 1, activation=None, name=f"{name}_conv3")(branch)
            else:
                out_filters = filters
                branch = conv(filters, 3, strides, name=f"{name}_conv1")(branch)
                branch = conv(out_filters, 3, activation=None, name=f"{name}_conv2")(branch)
            if strides > 1 or x.shape[-1] != out_filters or name.endswith("block1"):
                # The reference projects the first shortcut of every stage, also at equal width.
                x = shortcut(x, out_filters, strides, f"{name}_shortcut")
            return AddActivate(activation, dtype=dtype, name=f"{name}_out")([branch, x])

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        x = FoldTime(dtype="float32", name="fold_time")(clips)
        if normalization is not None:
            x = normalization(x)
        if variant == "vd":
            x = conv(width // 2, 3, 2, name="stem_conv1")(x)
            x = conv(width // 2, 3, name="stem_conv2")(x)
            x = conv(width, 3, name="stem_conv3")(x)
        else:
            x = conv(width, 7, 2, name="stem_conv")(x)
        x = StemPooling(dtype=dtype, name="stem_pool")(x)
        for stage, blocks in enumerate(STAGES[depth], start=1):
            for block in range(1, blocks + 1):
                strides = 2 if stage > 1 and block == 1 else 1
                name_ = f"stage{stage}_block{block}"
                x = residual_block(x, width * 2 ** (stage - 1), strides, name_)
        features = UnfoldTime(num_frames, dtype=dtype, name="unfold_time")(x)
        super().__init__(clips, features, dtype=dtype, name=name)

        # === Config ===
        self.depth = depth
        self.num_frames = num_frames
        self.variant = variant
        self.activation = activation
        self.shift_ratio = shift_ratio
        self.shift_direction = shift_direction
        self.width = width
        self.normalize = normalize
        self.image_size = image_size
        self.synchronized = synchronized

    @property
    def frames_are_independent(self) -> bool:
        """Whether the features of a frame are the same in every clip."""
        return not self.shift_ratio

    def feature_model(self, layers: Sequence[str] = ()) -> keras.Model:
        """The means over each frame, `(batch, num_frames, channels)`, float32.

        Args:
            layers: names of layers inside whose means are put after those of the last one, such as
                `"stem_pool"`, which knows colours.

        Returns:
            A model that shares this one's weights and input.

        Raises:
            ValueError: there is no layer of this name, or it gives no frames.
        """
        features = [frame_features(self.output)]
        known = [layer.name for layer in self.layers if len(layer.output.shape) == 4]
        for name in layers:
            if name not in known:
                raise ValueError(
                    "Features come from a layer that gives frames, such as stem_pool or "
                    f"stage1_block1_out.{did_you_mean(str(name), known)} Received: {name!r}"
                )
            unfold = UnfoldTime(self.num_frames, dtype="float32", name=f"unfold_{name}")
            features.append(frame_features(unfold(self.get_layer(name).output)))
        outputs = features[0] if len(features) == 1 else ops.concatenate(features, axis=-1)
        return keras.Model(self.input, outputs, name=f"{self.name}_features")

    def get_config(self):
        # Not in configs of models from before there was a choice.
        direction = {"shift_direction": "past"} if self.shift_direction == "past" else {}
        return {
            **super().get_config(),
            **direction,
            "depth": self.depth,
            "num_frames": self.num_frames,
            "variant": self.variant,
            "activation": self.activation,
            "shift_ratio": self.shift_ratio,
            "width": self.width,
            "normalize": self.normalize,
            "image_size": self.image_size,
            "synchronized": self.synchronized,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        trainable = config.pop("trainable", True)
        model = super().from_config(config, custom_objects)
        model.trainable = trainable
        return model


def frame_features(activations):
    """The mean over each frame, float32 under every policy: `(batch, time, channels)`."""
    return ops.mean(ops.cast(activations, "float32"), axis=(2, 3))


class AddActivate(keras.layers.Layer):
    """The end of a residual block: `activation(branch + shortcut)`."""

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activation

    def call(self, inputs):
        return add_activate(*inputs, self.activation)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class StemPooling(keras.layers.Layer):
    """Max pooling 3x3 of frames or clips, stride 2, one cell of padding on every side.

    The padding is minus infinity: after leaky ReLU zero would win over negative activations.
    """

    def call(self, inputs):
        shape = ops.shape(inputs)
        frames = ops.reshape(inputs, (-1, *shape[-3:]))
        sides = [[0, 0], [1, 1], [1, 1], [0, 0]]
        if traced_for_export.get() and not lowered_for_cpu.get():
            # Comes to the same, as what is mirrored is in the window; int8 has no infinity.
            padded = ops.pad(frames, sides, mode="reflect")
        else:
            padded = ops.pad(frames, sides, constant_values=float("-inf"))
        pooled = ops.max_pool(padded, 3, 2, padding="valid", data_format="channels_last")
        return ops.reshape(pooled, (-1, *self.compute_output_shape(shape)[1:]))

    def compute_output_shape(self, input_shape):
        sides = [None if s is None else (s + 1) // 2 for s in input_shape[-3:-1]]
        return (*input_shape[:-3], *sides, input_shape[-1])
