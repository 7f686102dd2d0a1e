"""Names of model classes, so that configs and commands never import what they name."""

import inspect

from keras_video.presets.errors import PresetError, did_you_mean
from keras_video.presets.import_string import import_object
from keras_video.presets.plugins import load_plugins, plugin_packages
from keras_video.presets.registry import registered_presets

_models = {
    "action_lstm": "keras_video.models:ActionLSTM",
    "attention_lstm": "keras_video.models:AttentionLSTM",
    "bmn": "keras_video.models:BMN",
    "pp_tsm": "keras_video.models:PPTSM",
    "pp_tsn": "keras_video.models:PPTSN",
    "resnet_backbone": "keras_video.models:ResNetBackbone",
    "slow_only": "keras_video.models:SlowOnly",
    "slow_only_backbone": "keras_video.models:SlowOnlyBackbone",
    "slowfast": "keras_video.models:SlowFast",
    "slowfast_backbone": "keras_video.models:SlowFastBackbone",
    "timesformer": "keras_video.models:TimeSformer",
    "tsm": "keras_video.models:TSM",
    "tsn": "keras_video.models:TSN",
    "vggish": "keras_video.models:VGGish",
    "vit_backbone": "keras_video.models:ViTBackbone",
}


def register_model(name: str, import_string: str) -> None:
    """Names a model class, for `convert(..., model=name)` and for presets that hold it.

    Args:
        name: short name, e.g. `"my_model"`.
        import_string: `"package.module:Class"`; imported when the name is used.

    Raises:
        PresetError: if the name is taken by another class.
    """
    known = _models.setdefault(name, import_string)
    if known != import_string:
        raise PresetError(
            f"The model name {name!r} already means {known!r}. Received: {import_string!r}"
        )


def model_names() -> list[str]:
    """Returns the names that `get_model_class` knows."""
    load_plugins()
    return sorted(_models)


def get_model_class(name: str) -> type:
    """Imports the model class with this name (`"pp_tsm"`, `"PPTSM"` and `"pp-tsm"` are one).

    Raises:
        PresetError: if there is none; the message names the nearest ones.
    """
    names = {_plain(known): known for known in model_names()}
    if _plain(name) not in names:
        raise PresetError(
            f"Unknown model.{did_you_mean(name, names.values())} Known: "
            f"{', '.join(names.values())}, and the names of presets. Received: {name!r}"
        )
    return import_object(_models[names[_plain(name)]])


def find_registered_class(registered_name: str, trusted: type | None = None) -> type | None:
    """Finds the Keras-registered class of a saved object, importing only what was registered.

    A config names a class; it never says what to import. Candidates are the classes that are
    registered with Keras already, and the import strings of known models and presets.

    Args:
        registered_name: Keras' registered name, e.g. `"keras_video>TSM"`.
        trusted: a class of the caller's; classes of its package are trusted as well.

    Returns:
        The class, or `None` if no class of keras_video, of a plug-in or of the caller's package
        has this name.
    """
    import keras

    found = keras.saving.get_registered_object(registered_name)
    if found is None:
        class_name = registered_name.rpartition(">")[2]
        for import_string in _known_import_strings():
            if import_string.endswith(f":{class_name}"):
                import_object(import_string)
        found = keras.saving.get_registered_object(registered_name)
    if inspect.isclass(found) and _top_package(found.__module__) in _trusted_packages(trusted):
        return found
    return None


def _known_import_strings() -> list[str]:
    load_plugins()
    strings = dict.fromkeys(_models.values())
    for preset in registered_presets():
        strings.update({preset.model: None, preset.preprocessor_class: None})
    strings["keras_video.data:VideoPreprocessor"] = None
    return list(strings)


def _trusted_packages(trusted: type | None) -> set[str]:
    packages = {_top_package(string) for string in _known_import_strings()}
    packages |= {"keras_video", *plugin_packages()}
    if trusted is not None:
        packages.add(_top_package(trusted.__module__))
    return packages


def _top_package(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
