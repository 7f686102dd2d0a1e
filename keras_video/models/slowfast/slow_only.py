"""`SlowOnly`: the slow pathway of SlowFast as a network of its own."""

import keras

from keras_video.models.slowfast.convert_mmaction2 import MMACTION2_SLOW_ONLY
from keras_video.models.slowfast.convert_paddle import paddlevideo_map
from keras_video.models.slowfast.convert_pyslowfast import CAFFE2_SLOW, PYSLOWFAST_SLOW
from keras_video.models.slowfast.convert_pytorchvideo import PYTORCHVIDEO_SLOW
from keras_video.models.slowfast.position_head import position_head
from keras_video.models.slowfast.slow_only_backbone import SlowOnlyBackbone
from keras_video.models.slowfast.slowfast_arguments import check_arguments
from keras_video.models.slowfast.slowfast_classifier import SlowFastClassifier


@keras.saving.register_keras_serializable(package="keras_video")
class SlowOnly(SlowFastClassifier):
    """SlowOnly, or Slow: the slow pathway of SlowFast as a network of its own.

    A ResNet over few frames, far apart, of which only the last two stages see time.

    It answers for every window of `pool_size` cells of the last stage and averages: at 224 pixels
    there is one, at 256 there are four. In training the frame is one window.

    Input: clips `(batch, num_frames, height, width, 3)`, RGB from 0 to 255, `uint8` or float.
    Output: logits `(batch, num_classes)`, float32. 32,454,096 trainable parameters by default.

    Args:
        num_classes: size of the output. Defaults to 400.
        num_frames: frames of a clip, or `None` for any number. Defaults to 8.
        depth: of the ResNet: 50 (default) or 101; 14 and 26 for small ones.
        dropout: share of the features that training drops. Defaults to 0.5.
        width: channels of the stem. Defaults to 64.
        image_size: height and width of the frames, or `None` (default) for any.
        pool_size: side of the windows in cells of 32 pixels. Defaults to 7; `None` for one window.
        average: what is averaged over the windows: `"probabilities"` (default) or `"logits"`.
        normalize: `"kinetics"` (default), `"imagenet"`, a pair `(mean, std)` of three numbers each
            in units of 0 to 1, or `None` where inputs are normalised already.
        zero_scale: whether the last normalisation of every block starts with the scale 0, so that
            the block is the identity at first: good in long training, slow to begin with in short.
            Defaults to `True`.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
            Defaults to `False`.
        dtype: dtype policy of all layers, for example `"mixed_bfloat16"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> model = keras_video.models.SlowOnly(num_classes=10)
    >>> model.predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    (1, 10)

    Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
    https://arxiv.org/abs/1812.03982
    """

    checkpoint_maps = {
        "paddlevideo": paddlevideo_map,
        "pyslowfast": PYSLOWFAST_SLOW,
        "caffe2": CAFFE2_SLOW,
        "pytorchvideo": PYTORCHVIDEO_SLOW,
        "mmaction2": MMACTION2_SLOW_ONLY,
    }

    def __init__(
        self,
        num_classes: int = 400,
        num_frames: int | None = 8,
        depth: int = 50,
        dropout: float = 0.5,
        width: int = 64,
        image_size: int | None = None,
        pool_size: int | None = 7,
        average: str = "probabilities",
        normalize="kinetics",
        zero_scale: bool = True,
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
    ):
        check_arguments(num_classes=num_classes, pool_size=pool_size)

        # === Layers ===
        backbone = SlowOnlyBackbone(
            depth=depth,
            num_frames=num_frames,
            width=width,
            normalize=normalize,
            image_size=image_size,
            zero_scale=zero_scale,
            synchronized=synchronized,
            dtype=dtype,
            name="backbone",
        )

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        logits = position_head([backbone(clips)], num_classes, dropout, pool_size, average)
        super().__init__(clips, logits, dtype=dtype, name=name)

        # === Config ===
        self.backbone = backbone
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.depth = depth
        self.dropout = dropout
        self.width = width
        self.image_size = image_size
        self.pool_size = pool_size
        self.average = average
        self.normalize = normalize
        self.zero_scale = zero_scale
        self.synchronized = synchronized

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_frames": self.num_frames,
            "depth": self.depth,
            "dropout": self.dropout,
            "width": self.width,
            "image_size": self.image_size,
            "pool_size": self.pool_size,
            "average": self.average,
            "normalize": self.normalize,
            "zero_scale": self.zero_scale,
            "synchronized": self.synchronized,
        }
