"""Lazy attributes for packages: a name is imported when it is first asked for."""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType


def attach(
    package: str, submodules: Iterable[str] = (), attributes: Mapping[str, str] | None = None
) -> tuple[Callable, Callable, list[str]]:
    """Returns `__getattr__`, `__dir__` and `__all__` for a package's `__init__`.

    A public name may be that of its file: `package.enable` is the function of `enable.py` then,
    also after the file has been imported by its full name.

    Args:
        package: the package's `__name__`.
        submodules: names of submodules to import on first use.
        attributes: `{public name: submodule that defines it}`, relative to the package.
    """
    origins = dict(attributes or {})
    modules = set(submodules)
    names = sorted(modules | set(origins))

    class Package(ModuleType):
        def __setattr__(self, name, value):
            # An import puts the submodule where the public name belongs.
            if isinstance(value, ModuleType) and origins.get(name) == name:
                value = getattr(value, name)
            super().__setattr__(name, value)

    sys.modules[package].__class__ = Package

    def __getattr__(name: str):
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name in origins:
            value = getattr(importlib.import_module(f"{package}.{origins[name]}"), name)
            setattr(sys.modules[package], name, value)
            return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return names

    return __getattr__, __dir__, names
