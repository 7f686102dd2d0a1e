"""For tests of models: what every model must do, for those here and for those of plug-ins."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ModelContract": "model_contract",
        "draw_clips": "drawing",
        "draw_weights": "drawing",
        "two_replicas": "two_replicas",
    },
)
