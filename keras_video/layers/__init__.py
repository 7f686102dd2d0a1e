"""Layers for video, written in `keras.ops`: they run on TensorFlow, JAX and torch."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "AttentionPooling": "attention_pooling",
        "BatchNorm": "batch_norm",
        "BidirectionalLSTM": "bidirectional_lstm",
        "BoundaryMatching": "boundary_matching",
        "BoundarySampling": "boundary_sampling",
        "ConvNorm": "conv_norm",
        "ConvNorm3D": "conv_norm_3d",
        "DividedSpaceTimeAttention": "divided_space_time_attention",
        "DropPath": "drop_path",
        "FoldTime": "fold_time",
        "GroupedConv1D": "grouped_conv_1d",
        "PeepholeLSTM": "peephole_lstm",
        "SelfAttention": "self_attention",
        "TemporalShift": "temporal_shift",
        "UnfoldTime": "fold_time",
    },
)
