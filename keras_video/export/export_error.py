"""`ExportError`: a model that cannot be exported as asked."""


class ExportError(ValueError):
    """Raised where a format cannot hold a model, or what was written does not compute the same."""
