"""What the readers raise and warn about."""


class VideoDecodeError(ValueError):
    """A video that cannot be read; its message is one line, the file and the cause.

    Args:
        path: the file as the caller named it, or `<bytes>` and the like.
        reason: the cause, in words.

    Example:

    >>> str(VideoDecodeError("clip.mp4", "the file is empty (0 bytes)"))
    'clip.mp4: the file is empty (0 bytes)'
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


class VideoNotFoundError(VideoDecodeError, FileNotFoundError):
    """The `VideoDecodeError` of a path where there is no file."""

    __str__ = VideoDecodeError.__str__


class VideoDecodeWarning(UserWarning):
    """A video with damaged frames, which the reader replaced by their neighbours."""
