"""`MultiLabelCrossentropy`: every class a yes or no, added up over the classes of a video."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class MultiLabelCrossentropy(keras.losses.Loss):
    """The binary cross entropy of all classes of a video together, averaged over videos.

    For the logits `x` and labels `y` of a video, `sum(-y log s(x) - (1 - y) log(1 - s(x)))` over
    its classes, where `s` is the sigmoid; computed in float32 without forming `s`.
    `keras.losses.BinaryCrossentropy` takes the mean over classes instead: with thousands of them,
    of which a video has three, next to nothing is left of a gradient. PaddleVideo adds up the
    videos of a batch, too, so that its learning rate means something else for every batch size.

    Args:
        label_smoothing: from 0 to below 1: labels become `y * (1 - label_smoothing) +
            label_smoothing / 2`. Defaults to 0.
        reduction: over videos, as in any Keras loss: by default the mean.
        name: of the loss.
        dtype: of its result.

    Call arguments:
        y_true: `(batch, classes)`, from 0 to 1.
        y_pred: `(batch, classes)`, logits.

    Raises:
        ValueError: `label_smoothing` out of range, shapes that differ.

    Example:

    >>> loss = keras_video.losses.MultiLabelCrossentropy()
    >>> float(loss([[1.0, 0.0]], [[0.0, 0.0]]))
    1.3862943649291992

    Reference: the training of AttentionLSTM on YouTube-8M, https://arxiv.org/abs/1707.04555
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "multi_label_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` must be from 0 to below 1. "
                f"Received: label_smoothing={label_smoothing!r}"
            )
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        logits = ops.cast(y_pred, "float32")
        labels = ops.cast(y_true, "float32")
        if len(logits.shape) != 2 or len(labels.shape) != 2:
            raise ValueError(
                "Labels and logits must have the shape (batch, classes). "
                f"Received: labels {tuple(labels.shape)}, logits {tuple(logits.shape)}"
            )
        if labels.shape[-1] != logits.shape[-1]:
            raise ValueError(
                "There must be a label for each class. "
                f"Received: labels {tuple(labels.shape)}, logits {tuple(logits.shape)}"
            )
        if self.label_smoothing:
            labels = labels * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        # Both by softplus, which is exact far from 0, and whose gradient at 0 is a half.
        losses = labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits)
        return ops.sum(losses, axis=-1)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
