"""`TSN`: frames are classified alone and averaged."""

import keras

from keras_video.models.resnet.convert_mit import MIT_TSN
from keras_video.models.resnet.convert_mmaction2 import MMACTION2_TSN
from keras_video.models.resnet.convert_videotag import videotag_map
from keras_video.models.resnet.resnet_classifier import ResNetClassifier


@keras.saving.register_keras_serializable(package="keras_video")
class TSN(ResNetClassifier):
    """Temporal segment network: frames are classified alone and averaged.

    The frames of a clip pass through a ResNet, their features are averaged, and one dense layer
    classifies. The order of the frames plays no role.

    Input: clips `(batch, num_frames, height, width, 3)`, RGB from 0 to 255, `uint8` or float.
    Output: logits `(batch, num_classes)`, float32. 24,327,632 trainable parameters by default.

    Args:
        num_classes: size of the output. Defaults to 400.
        num_frames: frames of a clip. Defaults to 8.
        depth: of the ResNet: 18, 34, 50 (default), 101 or 152.
        dropout: share of the features that training drops. Defaults to 0.4.
        width: channels of the first stage of the ResNet. Defaults to 64.
        image_size: height and width of the frames, or `None` (default) for any.
        normalize: `"imagenet"` (default), a pair `(mean, std)` of three numbers each in units of 0
            to 1, or `None` where inputs are normalised already.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
            Defaults to `False`.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.TSN.from_preset("tsn_k400")
    >>> model.classify("clip.mp4", top_k=1)
    [{"label": "archery", "class_id": 5, "score": 0.99}]
    >>> model = keras_video.models.TSN(num_classes=10)
    >>> model.predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    (1, 10)

    Reference: Wang et al., "Temporal Segment Networks", https://arxiv.org/abs/1608.00859
    """

    checkpoint_maps = {
        **ResNetClassifier.checkpoint_maps,
        "mmaction2": MMACTION2_TSN,
        "mit": MIT_TSN,
        "videotag": videotag_map,
    }

    def __init__(
        self,
        num_classes: int = 400,
        num_frames: int = 8,
        depth: int = 50,
        dropout: float = 0.4,
        width: int = 64,
        image_size: int | None = None,
        normalize="imagenet",
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
    ):
        super().__init__(
            num_classes=num_classes,
            num_frames=num_frames,
            depth=depth,
            dropout=dropout,
            width=width,
            image_size=image_size,
            normalize=normalize,
            synchronized=synchronized,
            dtype=dtype,
            name=name,
        )
