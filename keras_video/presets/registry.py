"""The registry of presets: built-in catalogues, plug-ins and what users register."""

import fnmatch
import threading

from keras_video.presets.errors import PresetError, did_you_mean
from keras_video.presets.import_string import import_object
from keras_video.presets.plugins import load_plugins
from keras_video.presets.preset import Preset

# Each module holds `PRESETS: list[Preset]` and imports neither Keras nor a backend.
BUILTIN_CATALOGUES = (
    "keras_video.models.tsn.tsn_presets:PRESETS",
    "keras_video.models.tsm.tsm_presets:PRESETS",
    "keras_video.models.pp_tsn.pp_tsn_presets:PRESETS",
    "keras_video.models.pp_tsm.pp_tsm_presets:PRESETS",
    "keras_video.models.slowfast.slowfast_presets:PRESETS",
    "keras_video.models.timesformer.timesformer_presets:PRESETS",
    "keras_video.models.attention_lstm.attention_lstm_presets:PRESETS",
    "keras_video.models.bmn.bmn_presets:PRESETS",
    "keras_video.models.resnet.resnet_presets:PRESETS",
    "keras_video.applications.video_tag_presets:PRESETS",
)

_lock = threading.RLock()
_presets: dict[str, Preset] = {}
_builtins_loaded = False


def register_preset(preset: Preset) -> Preset:
    """Adds a preset, so that `from_preset(preset.name)` finds it.

    Registering the same preset twice is allowed; a name can't be taken over.

    Args:
        preset: a `keras_video.Preset`.

    Returns:
        The preset.

    Raises:
        PresetError: if another preset has the name.
    """
    if not isinstance(preset, Preset):
        raise PresetError(f"register_preset takes a keras_video.Preset. Received: {preset!r}")
    with _lock:
        _load_builtins()
        return _register(preset)


def get_preset(name: str) -> Preset:
    """Returns the preset with this name.

    Raises:
        PresetError: if there is none; the message names the nearest ones.
    """
    presets = _all_presets()
    if name not in presets:
        raise PresetError(
            f"Unknown preset.{did_you_mean(str(name), presets)} "
            f"keras_video.list_presets() lists all names. Received: {name!r}"
        )
    return presets[name]


def list_presets(pattern: str = "*", model: str | type | None = None) -> list[str]:
    """Lists the names of the registered presets, sorted.

    Args:
        pattern: a file-name pattern, e.g. `"pp_*"` or `"*ucf101*"`.
        model: only presets of this model: a class (its subclasses count), or a name in any
            spelling of `"pp_tsm"`, `"PPTSM"` and `"keras_video.models:PPTSM"`.

    Returns:
        A list of names.

    Example:

    >>> keras_video.list_presets("pp_tsm*", model="PPTSM")
    """
    return [
        name
        for name, preset in sorted(_all_presets().items())
        if fnmatch.fnmatchcase(name, pattern) and _is_of_model(preset, model)
    ]


def registered_presets() -> tuple[Preset, ...]:
    """Returns every preset that is registered, in order of registration."""
    return tuple(_all_presets().values())


def _is_of_model(preset: Preset, model: str | type | None) -> bool:
    if model is None:
        return True
    if isinstance(model, str):
        wanted = model.rpartition(":")[2].replace("_", "").replace("-", "").lower()
        return preset.model_class_name.replace("_", "").lower() == wanted
    return issubclass(import_object(preset.model), model)


def _all_presets() -> dict[str, Preset]:
    with _lock:
        _load_builtins()
    # Not under the lock: a plug-in that another thread is loading may wait for it, to register.
    load_plugins()
    with _lock:
        return dict(_presets)


def _load_builtins() -> None:
    global _builtins_loaded
    if _builtins_loaded:
        return
    for catalogue in BUILTIN_CATALOGUES:
        for preset in import_object(catalogue):
            _register(preset)
    _builtins_loaded = True


def _register(preset: Preset) -> Preset:
    known = _presets.setdefault(preset.name, preset)
    if known != preset:
        raise PresetError(
            f"A preset named {preset.name!r} is already registered (a {known.model}); choose "
            f"another name. Received: model={preset.model!r}"
        )
    return preset
