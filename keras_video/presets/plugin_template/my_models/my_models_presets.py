"""Presets of `MyModels`. Imports no Keras: names must cost nothing."""

from keras_video.presets import Preset

PRESETS = [
    Preset(
        name="my_models_motion",
        model="my_models.my_models:MyModels",
        description="MyModels, 8 frames, four rendered motions.",
        config={"num_classes": 4, "num_frames": 8},
        preprocessor={"num_frames": 8, "short_side": 64, "crop_size": 64},
        labels=("moving left", "moving right", "moving up", "moving down"),
        dataset="rendered motions",
        parameters=5_268,
        # Where the weights are, once they are published: repository="me/my_models_motion".
    ),
]
