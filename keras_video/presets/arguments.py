"""Checks argument names of model classes before Keras swallows or garbles them."""

import inspect
from collections.abc import Iterable

from keras_video.presets.errors import PresetError, did_you_mean

_EVERY_MODEL = ("name", "dtype", "trainable")


def argument_names(model_class: type) -> list[str]:
    """Returns the names that a model class's constructor takes, through its own base classes."""
    import keras

    names = dict.fromkeys(())
    for base in inspect.getmro(model_class):
        if base in (keras.Model, object):
            break
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            named = (p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
            names.update((p.name, None) for p in named if p.name != "self")
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                return list(names)
    return list(dict.fromkeys([*names, *_EVERY_MODEL]))


def check_arguments(model_class: type, arguments: Iterable[str]) -> None:
    """Checks that a model class takes arguments of these names.

    Raises:
        PresetError: naming the unknown argument and the nearest ones.
    """
    known = argument_names(model_class)
    for argument in arguments:
        if argument not in known:
            raise PresetError(
                f"{model_class.__name__} has no such argument.{did_you_mean(argument, known)} "
                f"Its arguments: {', '.join(known)}. Received: {argument!r}"
            )
