"""`SlowFast`: one pathway for what is seen, one for how it moves."""

import keras

from keras_video.models.slowfast.convert_mmaction2 import MMACTION2_SLOWFAST
from keras_video.models.slowfast.convert_paddle import paddlevideo_map
from keras_video.models.slowfast.convert_pyslowfast import CAFFE2_SLOWFAST, PYSLOWFAST_SLOWFAST
from keras_video.models.slowfast.convert_pytorchvideo import PYTORCHVIDEO_SLOWFAST
from keras_video.models.slowfast.position_head import position_head
from keras_video.models.slowfast.slowfast_arguments import check_arguments
from keras_video.models.slowfast.slowfast_backbone import SlowFastBackbone
from keras_video.models.slowfast.slowfast_classifier import SlowFastClassifier


@keras.saving.register_keras_serializable(package="keras_video")
class SlowFast(SlowFastClassifier):
    """SlowFast: one pathway for what is seen, one for how it moves.

    A slow pathway sees every `alpha`-th frame with many channels, a fast one all frames with few;
    after the stem and each of the first three stages the fast one's features join the slow one's.

    The model takes the fast pathway's clip and picks the slow frames itself. It answers for every
    window of `pool_size` cells of the last stage and averages: at 224 pixels there is one, at 256
    there are four. In training the frame is one window.

    Input: clips `(batch, num_frames, height, width, 3)`, RGB from 0 to 255, `uint8` or float.
    Output: logits `(batch, num_classes)`, float32. 34,566,488 trainable parameters by default,
    34,480,216 with `fusion_kernel=5`.

    Args:
        num_classes: size of the output. Defaults to 400.
        num_frames: frames of a clip, a multiple of `alpha`; `None` for any such number, as
            multigrid training needs it. Defaults to 32.
        depth: of both ResNets: 50 (default) or 101; 14 and 26 for small ones.
        alpha: frames of the fast pathway for each of the slow one. Defaults to 4, "8x8": 8 slow
            frames of a clip of 32; 8 is "4x16".
        beta: channels of the slow pathway for each of the fast one. Defaults to 8.
        fusion_kernel: frames that the connections from the fast to the slow pathway see, an odd
            number. Defaults to 7.
        fusion_norm: whether these connections are normalised and rectified. Defaults to `True`;
            `False` is MMAction2's.
        dropout: share of the features that training drops. Defaults to 0.5.
        width: channels of the slow stem. Defaults to 64.
        image_size: height and width of the frames, or `None` (default) for any.
        slow_frames: which frames the slow pathway takes: `"linspace"` (default), evenly spaced with
            the first and the last included, as PaddleVideo, PySlowFast and PyTorchVideo have it;
            `"stride"`, the first of every `alpha`, as MMAction2.
        pool_size: side of the windows in cells of 32 pixels. Defaults to 7; `None` for one window.
        average: what is averaged over the windows: `"probabilities"` (default; PaddleVideo and
            PySlowFast) or `"logits"` (PyTorchVideo).
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

    >>> model = keras_video.models.SlowFast.from_preset("slowfast_8x8_k400")
    >>> model.classify("clip.mp4", top_k=1)
    [{"label": "archery", "class_id": 5, "score": 0.99}]
    >>> model = keras_video.models.SlowFast(num_classes=10)
    >>> model.predict(np.zeros((1, 32, 224, 224, 3), "uint8")).shape
    (1, 10)

    Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
    https://arxiv.org/abs/1812.03982
    """

    checkpoint_maps = {
        "paddlevideo": paddlevideo_map,
        "pyslowfast": PYSLOWFAST_SLOWFAST,
        "caffe2": CAFFE2_SLOWFAST,
        "pytorchvideo": PYTORCHVIDEO_SLOWFAST,
        "mmaction2": MMACTION2_SLOWFAST,
    }

    def __init__(
        self,
        num_classes: int = 400,
        num_frames: int | None = 32,
        depth: int = 50,
        alpha: int = 4,
        beta: int = 8,
        fusion_kernel: int = 7,
        fusion_norm: bool = True,
        dropout: float = 0.5,
        width: int = 64,
        image_size: int | None = None,
        slow_frames: str = "linspace",
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
        backbone = SlowFastBackbone(
            depth=depth,
            num_frames=num_frames,
            alpha=alpha,
            beta=beta,
            fusion_kernel=fusion_kernel,
            fusion_norm=fusion_norm,
            width=width,
            slow_frames=slow_frames,
            normalize=normalize,
            image_size=image_size,
            zero_scale=zero_scale,
            synchronized=synchronized,
            dtype=dtype,
            name="backbone",
        )

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        logits = position_head(backbone(clips), num_classes, dropout, pool_size, average)
        super().__init__(clips, logits, dtype=dtype, name=name)

        # === Config ===
        self.backbone = backbone
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.depth = depth
        self.alpha = alpha
        self.beta = beta
        self.fusion_kernel = fusion_kernel
        self.fusion_norm = fusion_norm
        self.dropout = dropout
        self.width = width
        self.image_size = image_size
        self.slow_frames = slow_frames
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
            "alpha": self.alpha,
            "beta": self.beta,
            "fusion_kernel": self.fusion_kernel,
            "fusion_norm": self.fusion_norm,
            "dropout": self.dropout,
            "width": self.width,
            "image_size": self.image_size,
            "slow_frames": self.slow_frames,
            "pool_size": self.pool_size,
            "average": self.average,
            "normalize": self.normalize,
            "zero_scale": self.zero_scale,
            "synchronized": self.synchronized,
        }
