"""`MyModels`: two convolutions, one on frames and one on their differences."""

import keras
from keras import ops
from keras_video.layers import ConvNorm, FoldTime, UnfoldTime
from keras_video.models import VideoClassifier
from keras_video.models.rgb_normalization import rgb_normalization


@keras.saving.register_keras_serializable(package="my_models")
class MyModels(VideoClassifier):
    """Two convolutions, one on frames and one on their differences.

    Input: clips `(batch, num_frames, height, width, 3)`, RGB from 0 to 255, `uint8` or float.
    Output: logits `(batch, num_classes)`, float32.

    Args:
        num_classes: size of the output. Defaults to 4.
        num_frames: frames of a clip, at least 2. Defaults to 8.
        filters: of the first convolution; the second has twice as many. Defaults to 16.
        dropout: share of the features that training drops. Defaults to 0.2.
        image_size: height and width of the frames, or `None` (default) for any.
        normalize: `"imagenet"` (default), a pair `(mean, std)`, or `None` for normalised inputs.
        synchronized: whether batch statistics are taken over all replicas.
        dtype: dtype policy of all layers.

    Raises:
        ValueError: fewer than two frames.

    Example:

    >>> MyModels(num_classes=4).predict(np.zeros((1, 8, 64, 64, 3), "uint8")).shape
    (1, 4)
    """

    def __init__(
        self,
        num_classes: int = 4,
        num_frames: int = 8,
        filters: int = 16,
        dropout: float = 0.2,
        image_size: int | None = None,
        normalize="imagenet",
        synchronized: bool = False,
        dtype=None,
        name: str | None = None,
    ):
        if num_frames < 2:
            raise ValueError(
                "A difference needs two frames: `num_frames` must be at least 2. "
                f"Received: num_frames={num_frames!r}"
            )

        # === Layers ===
        normalization = rgb_normalization(normalize)
        options = {"strides": 2, "synchronized": synchronized, "dtype": dtype}
        conv1 = ConvNorm(filters, 3, activation="relu", name="conv1", **options)
        conv2 = ConvNorm(2 * filters, 3, activation="relu", name="conv2", **options)
        drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        classifier = keras.layers.Dense(num_classes, dtype="float32", name="classifier")

        # === Functional model ===
        clips = keras.Input((num_frames, image_size, image_size, 3), name="clips")
        x = FoldTime(dtype="float32", name="fold_frames")(clips)
        if normalization is not None:
            x = normalization(x)
        x = UnfoldTime(num_frames, dtype=dtype, name="unfold_frames")(conv1(x))
        x = FoldTime(dtype=dtype, name="fold_changes")(x[:, 1:] - x[:, :-1])
        x = UnfoldTime(num_frames - 1, dtype=dtype, name="unfold_changes")(conv2(x))
        features = ops.mean(ops.cast(x, "float32"), axis=(1, 2, 3))
        super().__init__(clips, classifier(drop(features)), dtype=dtype, name=name)

        # === Config ===
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.filters = filters
        self.dropout = dropout
        self.image_size = image_size
        self.normalize = normalize
        self.synchronized = synchronized

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_frames": self.num_frames,
            "filters": self.filters,
            "dropout": self.dropout,
            "image_size": self.image_size,
            "normalize": self.normalize,
            "synchronized": self.synchronized,
        }
