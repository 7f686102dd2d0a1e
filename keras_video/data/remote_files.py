"""Video files behind a URL."""

import importlib.util
from typing import BinaryIO

from keras_video.data.video_decode_error import VideoDecodeError, VideoNotFoundError


def is_url(path: str) -> bool:
    """Whether a path names a protocol, `s3://bucket/clip.mp4`."""
    return "://" in path


def open_url(url: str) -> BinaryIO:
    """Opens the file behind a URL for reading, with random access.

    fsspec knows the protocols: `s3://` (with the package s3fs), `gs://` (gcsfs), `hf://`,
    `http://` and `https://` (aiohttp), `memory://` and more, also chained ones such as
    `simplecache::s3://`. Where fsspec lacks a protocol or its package, TensorFlow's file systems
    are tried if tensorflow-io is installed and works, see `load_tensorflow_io`.

    Args:
        url: protocol and path. Credentials come from where each protocol's package looks for them.

    Returns:
        A binary file object, which the caller closes.

    Raises:
        VideoNotFoundError: nothing there.
        VideoDecodeError: a folder, an unknown protocol, or the other side refuses.
        ImportError: the protocol needs a package that is not installed.
    """
    import fsspec

    try:
        file_system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        if importlib.util.find_spec("tensorflow_io") is not None:
            return _open_with_tensorflow(url)
        protocol = url.partition("://")[0]
        advice = (
            f"{url}: {error}. Install the package that gives fsspec the protocol "
            f"{protocol!r}, or download the file."
        )
        if isinstance(error, ImportError):
            raise ImportError(advice) from error
        raise VideoDecodeError(url, f"{error}; download the file and pass its path") from error
    try:
        file = file_system.open(path, "rb")
        file.seek(0)
        return file
    except FileNotFoundError as error:
        raise VideoNotFoundError(url, "there is no such file") from error
    # Each protocol's package has errors of its own for what the network and the other side say.
    except Exception as error:
        raise VideoDecodeError(url, f"cannot be opened: {error}") from error


def load_tensorflow_io() -> None:
    """Adds the file systems of tensorflow-io to TensorFlow: `az://`, `hdfs://`, `oss://` and more.

    tensorflow-io 0.37, the last release, works with TensorFlow before 2.18, and this package asks
    for 2.18 or later: with these two its libraries do not load, and the extra `io`, which installs
    it, is of no use. `fsspec`, which needs no TensorFlow, serves the same protocols.

    Raises:
        ImportError: tensorflow-io is missing, or does not work with this TensorFlow.
    """
    import tensorflow

    instead = "fsspec's packages serve the same protocols: s3fs, gcsfs, adlfs, ossfs, pyarrow"
    version = tuple(int(part) for part in tensorflow.__version__.split(".")[:2])
    if version >= (2, 18):
        raise ImportError(
            "tensorflow-io, also from the extra `io`, works with TensorFlow before 2.18 alone. "
            f"Received: TensorFlow {tensorflow.__version__}. {instead}."
        )
    if importlib.util.find_spec("tensorflow_io") is None:
        raise ImportError(
            f'tensorflow-io is not installed: pip install "keras-video[io]". Or, {instead}.'
        )
    import tensorflow_io  # noqa: F401  importing it registers the file systems


def _open_with_tensorflow(url: str) -> BinaryIO:
    try:
        load_tensorflow_io()
    except ImportError as error:
        raise ImportError(f"{url}: {error}") from error
    import tensorflow as tf

    try:
        if tf.io.gfile.stat(url).is_directory:
            raise VideoDecodeError(url, "this is a directory, not a video file")
    except tf.errors.NotFoundError as error:
        raise VideoNotFoundError(url, "there is no such file") from error
    except tf.errors.OpError as error:
        raise VideoDecodeError(url, f"cannot be opened: {error.message}") from error
    return tf.io.gfile.GFile(url, "rb")
