"""Models at work, in whatever runtime they were exported to; Keras is needed for its own only."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ExportedModel": "exported_model",
        "FramePrediction": "frame_prediction",
        "Predictor": "predictor",
        "Runtime": "runtime",
        "RuntimeEntry": "compare_runtimes",
        "RuntimeTimes": "compare_runtimes",
        "TensorSpec": "exported_model",
        "WindowPrediction": "window_prediction",
        "WindowViews": "window_views",
        "compare_runtimes": "compare_runtimes",
        "open_runtime": "runtimes",
        "stream_windows": "stream_windows",
        "window_views": "window_views",
    },
)
