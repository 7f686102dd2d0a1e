"""What the readers of annotated videos raise and warn about."""


class ActionListError(ValueError):
    """A list of actions, or of results, that cannot be read or written.

    Args:
        path: the file.
        reason: what is wrong, with the video, and what to do.

    Example:

    >>> str(ActionListError("actions.json", "the file is empty"))
    'actions.json: the file is empty'
    """

    def __init__(self, path, reason: str):
        super().__init__(str(path), " ".join(str(reason).split()))

    @property
    def path(self) -> str:
        return self.args[0]

    @property
    def reason(self) -> str:
        return self.args[1]

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ActionListWarning(UserWarning):
    """Actions that were cut to their video's end, or left out on demand."""
