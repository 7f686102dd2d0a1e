"""`SegmentConfidenceLoss`: how well each segment of a map fits an action."""

import keras
from keras import ops

from keras_video.losses.boundary_loss import balanced_crossentropy


@keras.saving.register_keras_serializable(package="keras_video")
class SegmentConfidenceLoss(keras.losses.Loss):
    """The loss of BMN's map: regression of the overlap and classification, of a whole batch.

    The regression is half the mean squared error of a balanced sample: all segments whose overlap
    (IoU) with an action is above 0.7, and about as many from 0.3 to 0.7, and below. Which ones, the
    labels say: with each segment comes a random number from 0 to 1, and a share of the highest are
    taken. So the loss itself is the same each time it is computed. Batches without a segment above
    0.7 have no regression. The classification is a `BoundaryLoss` of segments above 0.9.

    Args:
        regression_weight: of the regression in the sum. Defaults to 10.
        name: of the loss.
        dtype: of its result.
        **kwargs: of `keras.losses.Loss`.

    Call arguments:
        y_true: `(batch, durations, time, 2)`: overlaps, below 0 for cells that are no segments, and
            random numbers from 0 to 1; such as `localization.make_bmn_labels` makes.
        y_pred: `(batch, durations, time, 2)`: regressed overlaps, and probabilities.

    Example:

    >>> loss = keras_video.losses.SegmentConfidenceLoss()
    >>> labels = np.array([[[[1.0, 0.5], [0.0, 0.5]]]])
    >>> round(float(loss(labels, np.full((1, 1, 2, 2), 0.5))), 4)
    1.9431

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """

    def __init__(
        self, regression_weight=10.0, name="segment_confidence_loss", dtype=None, **kwargs
    ):
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.regression_weight = regression_weight

    def call(self, y_true, y_pred):
        labels, predictions = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        shapes = labels.shape[1:], predictions.shape[1:]
        if shapes[0] != shapes[1] or len(shapes[0]) != 3 or shapes[0][-1] != 2:
            raise ValueError(
                "Labels and predictions must have the shape (batch, durations, time, 2). "
                f"Received: labels {tuple(labels.shape)}, predictions {tuple(predictions.shape)}"
            )
        overlap, chance = labels[..., 0], labels[..., 1]
        regression = _regression(overlap, chance, predictions[..., 0])
        classification = balanced_crossentropy(overlap, predictions[..., 1], threshold=0.9)
        return self.regression_weight * regression + classification

    def get_config(self):
        return {**super().get_config(), "regression_weight": self.regression_weight}


def _regression(overlap, chance, predictions):
    real = overlap >= 0
    high = ops.cast(overlap > 0.7, "float32")
    middle = ops.cast(ops.logical_and(overlap > 0.3, overlap <= 0.7), "float32")
    low = ops.cast(real, "float32") - high - middle
    count = ops.sum(high)
    weights = high
    for band in (middle, low):
        share = count / ops.maximum(ops.sum(band), 1.0)
        # Of a share above 1, cells of other bands are taken too: all published code does so.
        weights = weights + ops.cast(band * chance > 1.0 - share, "float32")
    error = ops.square(predictions - ops.maximum(overlap, 0.0)) * weights
    return 0.5 * ops.sum(error) / ops.maximum(ops.sum(weights), 1.0)
