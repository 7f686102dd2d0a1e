"""keras_video: video understanding for Keras 3.

Submodules load on first use, so `import keras_video` costs next to nothing.

Example:

>>> import keras_video
>>> model = keras_video.models.PPTSM.from_preset("pp_tsm_k400")
>>> model.classify("clip.mp4", top_k=5)
"""

from keras_video._lazy import attach
from keras_video._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=(
        "applications",
        "data",
        "export",
        "features",
        "inference",
        "layers",
        "localization",
        "losses",
        "metrics",
        "models",
        "presets",
        "publishing",
        "serving",
        "testing",
        "training",
        "visualization",
    ),
    attributes={
        "Preset": "presets",
        "convert": "presets",
        "list_presets": "presets",
        "register_preset": "presets",
    },
)
