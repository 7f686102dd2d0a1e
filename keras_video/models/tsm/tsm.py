"""`TSM`: a 2-D network that sees motion."""

import keras

from keras_video.models.resnet.convert_mit import MIT_TSM
from keras_video.models.resnet.convert_mmaction2 import MMACTION2_TSM
from keras_video.models.resnet.resnet_classifier import FAST_CLASSIFIER, ShiftedResNetClassifier


@keras.saving.register_keras_serializable(package="keras_video")
class TSM(ShiftedResNetClassifier):
    """Temporal shift module: a 2-D network that sees motion.

    A ResNet on every frame whose residual branches exchange some channels with the frames before
    and after (`keras_video.layers.TemporalShift`), at the cost of a 2-D network.

    Input: clips `(batch, num_frames, height, width, 3)`, RGB from 0 to 255, `uint8` or float.
    Output: logits `(batch, num_classes)`, float32. 24,327,632 trainable parameters by default.

    Args:
        num_classes: size of the output. Defaults to 400.
        num_frames: frames of a clip. Defaults to 8.
        depth: of the ResNet: 18, 34, 50 (default), 101 or 152.
        shift_ratio: share of the channels that moves each way in time. Defaults to 1/8; the
            reference's 1 / num_frames is the same at 8 frames.
        dropout: share of the features that training drops. Defaults to 0.5.
        width: channels of the first stage of the ResNet. Defaults to 64.
        image_size: height and width of the frames, or `None` (default) for any.
        normalize: `"imagenet"` (default), a pair `(mean, std)` of three numbers each in units of 0
            to 1, or `None` where inputs are normalised already.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
            Defaults to `False`.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.
        shift_direction: `"both"` (default), or `"past"` for a model that never looks at later
            frames, and so can take a stream one frame at a time (`step_model`).

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.TSM.from_preset("tsm_k400")
    >>> model.classify("clip.mp4", top_k=1)
    [{"label": "archery", "class_id": 5, "score": 0.99}]
    >>> model = keras_video.models.TSM(num_classes=10)
    >>> model.predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    (1, 10)

    Reference: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding",
    https://arxiv.org/abs/1811.08383
    """

    dropout_per_frame = True
    head_std = 0.001
    weight_rules = FAST_CLASSIFIER
    checkpoint_maps = {
        **ShiftedResNetClassifier.checkpoint_maps,
        "mmaction2": MMACTION2_TSM,
        "mit": MIT_TSM,
    }

    def __init__(
        self,
        num_classes: int = 400,
        num_frames: int = 8,
        depth: int = 50,
        shift_ratio: float = 0.125,
        dropout: float = 0.5,
        width: int = 64,
        image_size: int | None = None,
        normalize="imagenet",
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
        shift_direction: str = "both",
    ):
        super().__init__(
            num_classes=num_classes,
            num_frames=num_frames,
            depth=depth,
            shift_ratio=shift_ratio,
            dropout=dropout,
            width=width,
            image_size=image_size,
            normalize=normalize,
            synchronized=synchronized,
            dtype=dtype,
            name=name,
            shift_direction=shift_direction,
        )
