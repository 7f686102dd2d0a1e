"""`FeatureReadError`: stored features that cannot be read."""

from keras_video.data.video_decode_error import VideoDecodeError, VideoNotFoundError


class FeatureReadError(VideoDecodeError):
    """Features that cannot be read; its message is one line, the place and the cause.

    Args:
        path: the file, perhaps with the place in it, `train0000.tfrecord#4711`.
        reason: the cause, in words.

    Example:

    >>> str(FeatureReadError("a.npy", "the file is empty (0 bytes)"))
    'a.npy: the file is empty (0 bytes)'
    """


class FeatureNotFoundError(FeatureReadError, VideoNotFoundError):
    """The `FeatureReadError` of a path where there is no file."""

    __str__ = FeatureReadError.__str__
