"""Plug-ins: other packages that add model classes, presets, decoders and transforms.

A package declares an entry point in the group `keras_video.plugins`; it names a function
without arguments, called once, that registers what the package adds:

    [project.entry-points."keras_video.plugins"]
    my_package = "my_package.keras_video_plugin:register"
"""

import threading
import warnings
from importlib import metadata

GROUP = "keras_video.plugins"

_lock = threading.RLock()
_loaded = False
_packages: set[str] = set()


def load_plugins() -> None:
    """Calls every installed plug-in once.

    A plug-in that fails warns with its name and its error, and leaves the others working.
    """
    global _loaded
    with _lock:
        if _loaded:
            return
        # Set first: a plug-in that lists presets while registering must not start over.
        _loaded = True
        for entry_point in metadata.entry_points(group=GROUP):
            _load(entry_point)


def plugin_packages() -> frozenset[str]:
    """Returns the top-level packages of the plug-ins that loaded."""
    return frozenset(_packages)


def _load(entry_point: metadata.EntryPoint) -> None:
    try:
        entry_point.load()()
    # Foreign code may fail in any way; one broken package must not take the others along.
    except Exception as error:
        distribution = entry_point.dist.name if entry_point.dist else "an unknown distribution"
        warnings.warn(
            f"The keras_video plug-in {entry_point.name!r} of {distribution} failed; what it adds "
            f"may be missing: {type(error).__name__}: {error}. Received: {entry_point.value!r}",
            stacklevel=4,
        )
        return
    _packages.add(entry_point.module.split(".", 1)[0])
