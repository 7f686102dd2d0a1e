"""Names of objects that are imported only when needed: `"package.module:attribute"`."""

import importlib


def import_object(import_string: str):
    """Imports `"package.module:attribute"` and returns the attribute."""
    module, _, attribute = import_string.partition(":")
    return getattr(importlib.import_module(module), attribute)
