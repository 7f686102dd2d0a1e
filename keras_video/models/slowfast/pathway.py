"""`Pathway`: the layers of one pathway of a SlowFast network, under its own names."""

from keras_video.layers.conv_norm_3d import ConvNorm3D
from keras_video.models.resnet.resnet_backbone import StemPooling
from keras_video.models.resnet.resnet_stages import STAGES

# Blocks of each stage, of three convolutions each.
BLOCKS = {14: (1, 1, 1, 1), 26: (2, 2, 2, 2), 50: STAGES[50], 101: STAGES[101]}

# Frames that the kernels see: of the stem, and of the first convolution of a block in each stage.
SLOW_KERNELS = (1, (1, 1, 3, 3))
FAST_KERNELS = (5, (3, 3, 3, 3))


class Pathway:
    """A 3-D ResNet that keeps all its frames.

    Args:
        name: prefix of the layers' names.
        kernels: temporal kernel of the stem, and of the blocks of each stage.
        depth: one of `BLOCKS`.
        width: channels of the stem.
        zero_scale: whether the last normalisation of a block starts with the scale 0.
        synchronized: whether batch statistics are taken over all replicas.
        dtype: dtype policy of the layers.
    """

    def __init__(
        self,
        name: str,
        kernels: tuple,
        depth: int,
        width: int,
        zero_scale: bool,
        synchronized: bool,
        dtype,
    ):
        self.name, self.width = name, width
        self.stem_kernel, self.stage_kernels = kernels
        self.blocks, self.zero_scale = BLOCKS[depth], zero_scale
        self.options = {"synchronized": synchronized, "dtype": dtype}

    def stem(self, clips):
        """A convolution and a pooling, which leave a quarter of each side."""
        kernel_size = (self.stem_kernel, 7, 7)
        x = self._conv(self.width, kernel_size, (1, 2, 2), "relu", name="stem")(clips)
        return StemPooling(dtype=self.options["dtype"], name=f"{self.name}_stem_pool")(x)

    def stage(self, x, number: int):
        """The blocks of stage 1 to 4."""
        filters = self.width * 2 ** (number - 1)
        for block in range(1, self.blocks[number - 1] + 1):
            strides = 2 if number > 1 and block == 1 else 1
            x = self._block(x, filters, strides, number, block)
        return x

    def _block(self, x, filters: int, strides: int, stage: int, block: int):
        name, strides = f"stage{stage}_block{block}", (1, strides, strides)
        first = (self.stage_kernels[stage - 1], 1, 1)
        branch = self._conv(filters, first, activation="relu", name=f"{name}_conv1")(x)
        branch = self._conv(filters, (1, 3, 3), strides, "relu", name=f"{name}_conv2")(branch)
        if block == 1:
            x = self._conv(4 * filters, (1, 1, 1), strides, name=f"{name}_shortcut")(x)
        last = self._conv(
            4 * filters,
            (1, 1, 1),
            activation="relu",
            zero_scale=self.zero_scale,
            name=f"{name}_conv3",
        )
        return last(branch, residual=x)

    def _conv(self, *args, name: str, **kwargs) -> ConvNorm3D:
        return ConvNorm3D(*args, **kwargs, **self.options, name=f"{self.name}_{name}")
