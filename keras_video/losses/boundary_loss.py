"""`BoundaryLoss`: whether an action starts, or ends, at each step."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class BoundaryLoss(keras.losses.Loss):
    """Binary cross entropy in which both classes of a batch weigh the same, whatever their number.

    A step is positive where its label is above `threshold`. Where all steps of a batch are of one
    class, that class has half of the weight, as ever: nothing becomes infinite.

    Args:
        threshold: labels above are positive. Defaults to 0.5.
        epsilon: added within the logarithms. Defaults to 1e-6.
        name: of the loss.
        dtype: of its result.
        **kwargs: of `keras.losses.Loss`.

    Call arguments:
        y_true: labels from 0 to 1, `(batch, time)`; below 0 where there is none.
        y_pred: probabilities, of the same shape.

    Example:

    >>> loss = keras_video.losses.BoundaryLoss()
    >>> round(float(loss([[1.0, 0.0, 0.0, 0.0]], [[0.5, 0.5, 0.5, 0.5]])), 4)
    0.6931

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """

    def __init__(self, threshold=0.5, epsilon=1e-6, name="boundary_loss", dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.threshold = threshold
        self.epsilon = epsilon

    def call(self, y_true, y_pred):
        labels, predictions = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        if labels.shape[1:] != predictions.shape[1:]:
            raise ValueError(
                "Labels and predictions must have one shape. "
                f"Received: labels {tuple(labels.shape)}, predictions {tuple(predictions.shape)}"
            )
        return balanced_crossentropy(labels, predictions, self.threshold, self.epsilon)

    def get_config(self):
        return {
            **super().get_config(),
            "threshold": self.threshold,
            "epsilon": self.epsilon,
        }


def balanced_crossentropy(labels, predictions, threshold: float, epsilon: float = 1e-6):
    """A number: half the mean loss of positive entries, and half that of the negative ones."""
    positive = ops.cast(labels > threshold, "float32")
    negative = ops.cast(labels >= 0, "float32") - positive
    of_positive = ops.sum(positive * ops.log(predictions + epsilon))
    of_negative = ops.sum(negative * ops.log(1.0 - predictions + epsilon))
    of_positive = of_positive / ops.maximum(ops.sum(positive), 1.0)
    of_negative = of_negative / ops.maximum(ops.sum(negative), 1.0)
    return -0.5 * (of_positive + of_negative)
