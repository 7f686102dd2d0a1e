"""What this package adds to keras_video."""

from keras_video.presets import register_model, register_preset

from my_models.my_models_presets import PRESETS


def register() -> None:
    register_model("my_models", "my_models.my_models:MyModels")
    for preset in PRESETS:
        register_preset(preset)
