"""Layers for video, written in `keras.ops`: they run on TensorFlow, JAX and torch."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "BatchNorm": "batch_norm",
        "ConvNorm": "conv_norm",
        "FoldTime": "fold_time",
        "TemporalShift": "temporal_shift",
        "UnfoldTime": "fold_time",
    },
)
