"""Training: the step, the loop, optimisation, and what a run leaves behind."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Piecewise": "piecewise",
        "SGD": "sgd",
        "WarmupCosine": "warmup_cosine",
        "weight_rules": "optimizer_rules",
    },
)
