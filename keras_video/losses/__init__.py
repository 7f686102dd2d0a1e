"""Losses that Keras doesn't have."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "BoundaryLoss": "boundary_loss",
        "MultiLabelCrossentropy": "multi_label_crossentropy",
        "SegmentConfidenceLoss": "segment_confidence_loss",
    },
)
