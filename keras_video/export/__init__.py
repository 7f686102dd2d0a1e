"""Models outside of training: compiled functions, and later other runtimes."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, attributes={"make_inference_function": "inference_function"}
)
