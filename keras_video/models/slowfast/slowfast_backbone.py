"""`SlowFastBackbone`: two pathways of different speed over a clip."""

import keras

from keras_video.layers.conv_norm_3d import ConvNorm3D
from keras_video.models.functional_model import FunctionalModel
from keras_video.models.rgb_normalization import rgb_normalization
from keras_video.models.slowfast.lateral_conv import LateralConv
from keras_video.models.slowfast.pathway import FAST_KERNELS, SLOW_KERNELS, Pathway
from keras_video.models.slowfast.slow_frames import SlowFrames
from keras_video.models.slowfast.slowfast_arguments import check_arguments


@keras.saving.register_keras_serializable(package="keras_video")
class SlowFastBackbone(FunctionalModel):
    """Features of a clip in two pathways: few frames and many channels, many frames and few.

    Input shape: `(batch, num_frames, height, width, 3)`, the fast pathway's clip, RGB from 0 to
    255.
    Output shapes: `(batch, num_frames / alpha, ceil(height / 32), ceil(width / 32), 32 * width)`
    and `(batch, num_frames, ceil(height / 32), ceil(width / 32), 32 * width / beta)`.

    Args:
        depth: of both ResNets: 50 (default) or 101; 14 and 26 for small ones.
        num_frames: frames of a clip, a multiple of `alpha`; `None` for any such number. Defaults to
            32.
        alpha: frames of the fast pathway for each of the slow one. Defaults to 4.
        beta: channels of the slow pathway for each of the fast one. Defaults to 8.
        fusion_kernel: frames that the connections from the fast to the slow pathway see, an odd
            number. Defaults to 7.
        fusion_norm: whether these connections are normalised and rectified. Defaults to `True`.
        width: channels of the slow stem. Defaults to 64.
        slow_frames: `"linspace"` (default) or `"stride"`, which frames the slow pathway takes: see
            `SlowFast`.
        normalize: `"kinetics"` (default), `"imagenet"`, a pair `(mean, std)` of three numbers each
            in units of 0 to 1, or `None` where inputs are normalised already.
        image_size: height and width of the frames, or `None` (default) for any.
        zero_scale: whether the last normalisation of every block starts with the scale 0, so that
            the block is the identity at first: good in long training, slow to begin with in short.
            Defaults to `True`.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
        dtype: dtype policy of all layers.

    Example:

    >>> backbone = keras_video.models.SlowFastBackbone()
    >>> slow, fast = backbone.predict(np.zeros((1, 32, 224, 224, 3), "uint8"))
    >>> slow.shape, fast.shape
    ((1, 8, 7, 7, 2048), (1, 32, 7, 7, 256))

    Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
    https://arxiv.org/abs/1812.03982
    """

    def __init__(
        self,
        depth: int = 50,
        num_frames: int | None = 32,
        alpha: int = 4,
        beta: int = 8,
        fusion_kernel: int = 7,
        fusion_norm: bool = True,
        width: int = 64,
        slow_frames: str = "linspace",
        normalize="kinetics",
        image_size: int | None = None,
        zero_scale: bool = True,
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
    ):
        check_arguments(depth=depth, num_frames=num_frames, width=width, image_size=image_size)
        check_arguments(alpha=alpha, beta=beta)
        if num_frames is not None and num_frames % alpha:
            raise ValueError(
                "`num_frames` must be a multiple of `alpha`. "
                f"Received: num_frames={num_frames}, alpha={alpha}"
            )
        if width % beta:
            raise ValueError(
                f"`width` must be a multiple of `beta`. Received: width={width}, beta={beta}"
            )
        normalization = rgb_normalization(normalize)

        # === Layers ===
        slow_path = Pathway("slow", SLOW_KERNELS, depth, width, zero_scale, synchronized, dtype)
        fast_path = Pathway(
            "fast", FAST_KERNELS, depth, width // beta, zero_scale, synchronized, dtype
        )

        def fuse(slow, fast, number):
            filters, options = 2 * fast.shape[-1], {"dtype": dtype, "name": f"fuse{number}"}
            if fusion_norm:
                kernel_size, strides = (fusion_kernel, 1, 1), (alpha, 1, 1)
                options["synchronized"] = synchronized
                lateral = ConvNorm3D(filters, kernel_size, strides, "relu", **options)
            else:
                lateral = LateralConv(filters, fusion_kernel, alpha, **options)
            join = keras.layers.Concatenate(dtype=dtype, name=f"fuse{number}_join")
            return join([slow, lateral(fast)])

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        fast = clips if normalization is None else normalization(clips)
        slow = SlowFrames(alpha, slow_frames, dtype="float32", name="slow_frames")(fast)
        slow, fast = slow_path.stem(slow), fast_path.stem(fast)
        for number in range(1, 5):
            slow = slow_path.stage(fuse(slow, fast, number), number)
            fast = fast_path.stage(fast, number)
        super().__init__(clips, [slow, fast], dtype=dtype, name=name)

        # === Config ===
        self.depth = depth
        self.num_frames = num_frames
        self.alpha = alpha
        self.beta = beta
        self.fusion_kernel = fusion_kernel
        self.fusion_norm = fusion_norm
        self.width = width
        self.slow_frames = slow_frames
        self.normalize = normalize
        self.image_size = image_size
        self.zero_scale = zero_scale
        self.synchronized = synchronized

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "num_frames": self.num_frames,
            "alpha": self.alpha,
            "beta": self.beta,
            "fusion_kernel": self.fusion_kernel,
            "fusion_norm": self.fusion_norm,
            "width": self.width,
            "slow_frames": self.slow_frames,
            "normalize": self.normalize,
            "image_size": self.image_size,
            "zero_scale": self.zero_scale,
            "synchronized": self.synchronized,
        }
