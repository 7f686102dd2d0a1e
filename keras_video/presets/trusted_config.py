"""Keras configs of saved objects: written plainly, read without trusting them.

Keras can import modules and run code that a config names. A preset's config may come from
anyone, so only classes that keras_video, plug-ins or the caller's package have registered are
built from it, and nothing is imported on its word.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.model_names import find_registered_class

# Plain settings of Keras that a config may hold by value.
_KERAS_MODULES = (
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.regularizers",
)
_KERAS_POLICIES = ("DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy")


def object_config(obj) -> dict:
    """Returns the JSON form of a Keras-serialisable object: its class and its arguments.

    Raises:
        PresetError: if the class isn't registered with Keras: no one could load it.
    """
    import keras

    registered_name = keras.saving.get_registered_name(type(obj))
    if keras.saving.get_registered_object(registered_name) is not type(obj):
        raise PresetError(
            f"{type(obj).__name__} can't be saved: decorate the class with "
            '@keras.saving.register_keras_serializable(package="my_package"). '
            f"Received: {type(obj).__module__}.{type(obj).__qualname__}"
        )
    config = keras.saving.serialize_keras_object(obj)
    kept = ("module", "class_name", "config", "registered_name")
    return _plain({key: config[key] for key in kept})


def read_object_config(path: Path) -> dict:
    """Reads a JSON file that `object_config` described.

    Raises:
        PresetError: if it isn't one.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(
            f"{path.name} can't be read: {one_line(error)}. Received: {str(path)!r}"
        ) from error
    if (
        not isinstance(config, dict)
        or not isinstance(config.get("registered_name"), str)
        or not isinstance(config.get("config"), dict)
    ):
        raise PresetError(
            f"{path.name} isn't the config of a keras_video preset: it has no registered_name or "
            f"no config. Received: {str(path)!r}"
        )
    return config


def config_class(config: dict, path: Path, trusted: type | None = None) -> type:
    """Returns the class that a config names, if the config may be given to its `from_config`.

    Args:
        config: from `read_object_config`.
        path: its file, for messages.
        trusted: a class of the caller's; classes of its package are trusted as well.

    Raises:
        PresetError: if the class, or one inside the config, isn't trusted.
    """
    found = find_registered_class(config["registered_name"], trusted)
    if found is None:
        raise PresetError(
            "The preset names a class that neither keras_video nor a plug-in provides; if you "
            "trust it, import its package and call from_preset on that class. "
            f"Received: {config['registered_name']!r} in {str(path)!r}"
        )
    try:
        _check_inside(config["config"], path, trusted)
    except RecursionError as error:
        raise PresetError(
            f"The preset's config is nested too deeply. Received: {str(path)!r}"
        ) from error
    return found


def build_object(found: type, config: dict, path: Path):
    """Builds an object from the config that a file holds.

    Args:
        found: from `config_class`.
        config: from `read_object_config`.
        path: its file, for messages.

    Raises:
        PresetError: if the class can't be built from these arguments.
    """
    try:
        return found.from_config(config["config"])
    # A damaged or hostile config may fail anywhere inside, in any way.
    except Exception as error:
        raise PresetError(
            f"{path.name} doesn't describe a {found.__name__} that can be built: "
            f"{one_line(error).removesuffix('.')}. Received: {str(path)!r}"
        ) from error


def with_overrides(config: dict, overrides: Mapping) -> dict:
    """Returns a config with some of its arguments replaced, objects among them in Keras' form."""
    import keras

    plain = {
        name: keras.saving.serialize_keras_object(value) if hasattr(value, "get_config") else value
        for name, value in overrides.items()
    }
    return {**config, "config": {**config["config"], **plain}}


def _check_inside(value, path: Path, trusted: type | None) -> None:
    if isinstance(value, list):
        for item in value:
            _check_inside(item, path, trusted)
    if not isinstance(value, dict):
        return
    if "class_name" in value and not _may_be_inside(value, trusted):
        raise PresetError(
            "The preset's config holds an object that isn't allowed in it. Received: "
            f"{value.get('module')}.{value['class_name']} in {str(path)!r}"
        )
    for item in value.values():
        _check_inside(item, path, trusted)


def _may_be_inside(value: dict, trusted: type | None) -> bool:
    module, class_name = value.get("module"), value["class_name"]
    if module in _KERAS_MODULES or (module == "keras" and class_name in _KERAS_POLICIES):
        return value.get("registered_name") is None and class_name != "function"
    registered_name = value.get("registered_name")
    if not isinstance(registered_name, str):
        return False
    return find_registered_class(registered_name, trusted) is not None


def _plain(value):
    """Turns Keras' form of tuples into lists, so that files stay plain JSON."""
    if isinstance(value, dict):
        if value.get("class_name") == "__tuple__":
            return _plain(value["config"])
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
