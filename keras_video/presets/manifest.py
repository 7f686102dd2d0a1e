"""What a manifest says about a model's preprocessor and labels, as objects."""

from keras_video.presets.import_string import import_object
from keras_video.presets.label_files import load_labels
from keras_video.presets.preset import Preset


def attach_extras(model, preset: Preset) -> None:
    """Gives a model the preprocessor and labels of a manifest."""
    model.preprocessor = make_preprocessor(preset)
    model.labels = make_labels(preset)


def make_preprocessor(preset: Preset):
    """Returns the preprocessor of a manifest, or `None`."""
    if preset.preprocessor is None:
        return None
    return import_object(preset.preprocessor_class)(**preset.preprocessor)


def make_labels(preset: Preset) -> list[str] | None:
    """Returns the class names of a manifest, or `None`."""
    if preset.labels is None:
        return None
    return load_labels(preset.labels) if isinstance(preset.labels, str) else list(preset.labels)
