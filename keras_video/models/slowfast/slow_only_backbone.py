"""`SlowOnlyBackbone`: the slow pathway of a SlowFast network alone."""

import keras

from keras_video.models.functional_model import FunctionalModel
from keras_video.models.rgb_normalization import rgb_normalization
from keras_video.models.slowfast.pathway import SLOW_KERNELS, Pathway
from keras_video.models.slowfast.slowfast_arguments import check_arguments


@keras.saving.register_keras_serializable(package="keras_video")
class SlowOnlyBackbone(FunctionalModel):
    """Features of a clip: a 3-D ResNet whose last two stages see time.

    Input shape: `(batch, num_frames, height, width, 3)`, RGB from 0 to 255.
    Output shape: `(batch, num_frames, ceil(height / 32), ceil(width / 32), 32 * width)`.

    Args:
        depth: of the ResNet: 50 (default) or 101; 14 and 26 for small ones.
        num_frames: frames of a clip, or `None` for any number. Defaults to 8.
        width: channels of the stem. Defaults to 64.
        normalize: `"kinetics"` (default), `"imagenet"`, a pair `(mean, std)` of three numbers each
            in units of 0 to 1, or `None` where inputs are normalised already.
        image_size: height and width of the frames, or `None` (default) for any.
        zero_scale: whether the last normalisation of every block starts with the scale 0, so that
            the block is the identity at first: good in long training, slow to begin with in short.
            Defaults to `True`.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
        dtype: dtype policy of all layers.

    Example:

    >>> backbone = keras_video.models.SlowOnlyBackbone()
    >>> backbone.predict(np.zeros((1, 8, 224, 224, 3), "uint8")).shape
    (1, 8, 7, 7, 2048)

    Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
    https://arxiv.org/abs/1812.03982
    """

    def __init__(
        self,
        depth: int = 50,
        num_frames: int | None = 8,
        width: int = 64,
        normalize="kinetics",
        image_size: int | None = None,
        zero_scale: bool = True,
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
    ):
        check_arguments(depth=depth, num_frames=num_frames, width=width, image_size=image_size)
        normalization = rgb_normalization(normalize)

        # === Layers ===
        pathway = Pathway("slow", SLOW_KERNELS, depth, width, zero_scale, synchronized, dtype)

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        x = pathway.stem(clips if normalization is None else normalization(clips))
        for number in range(1, 5):
            x = pathway.stage(x, number)
        super().__init__(clips, x, dtype=dtype, name=name)

        # === Config ===
        self.depth = depth
        self.num_frames = num_frames
        self.width = width
        self.normalize = normalize
        self.image_size = image_size
        self.zero_scale = zero_scale
        self.synchronized = synchronized

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "num_frames": self.num_frames,
            "width": self.width,
            "normalize": self.normalize,
            "image_size": self.image_size,
            "zero_scale": self.zero_scale,
            "synchronized": self.synchronized,
        }
