"""Objects that Keras saves and loads, in modules that do not import Keras."""

import inspect
import sys

_waiting: list[type] = []


def keras_serializable(cls: type) -> type:
    """Registers a class with Keras as `keras_video>Name`, as soon as Keras is there.

    A decoding worker uses transforms without Keras, whose import would take it seconds and
    hundreds of megabytes. So a class is registered when it is defined, if Keras is loaded by then,
    else when an object's config is asked for or `register_with_keras` is called.
    """
    _waiting.append(cls)
    if "keras" in sys.modules:
        register_with_keras()
    return cls


def register_with_keras() -> None:
    """Registers the classes that were defined before Keras was imported."""
    import keras

    # Another thread may be at it too: registering twice does no harm, losing a class would.
    for cls in list(_waiting):
        keras.saving.register_keras_serializable(package="keras_video")(cls)
        if cls in _waiting:
            _waiting.remove(cls)


class Configured:
    """An object that its constructor's arguments describe in full.

    Every argument is kept in the attribute of its name. Objects with the same arguments are equal.
    """

    def get_config(self) -> dict:
        """The constructor's arguments, for `keras.saving`."""
        register_with_keras()
        return self._arguments()

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def _arguments(self) -> dict:
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __eq__(self, other) -> bool:
        return type(other) is type(self) and other._arguments() == self._arguments()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({arguments})"
