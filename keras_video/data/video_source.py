"""A path, bytes or an open file, made uniform for the decoders."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import BinaryIO

from keras_video.data.announced_size import announced_size
from keras_video.data.remote_files import is_url, open_url
from keras_video.data.video_decode_error import VideoDecodeError, VideoNotFoundError


class VideoSource:
    """Something that holds an encoded video, checked for the mistakes that need no decoder.

    Args:
        source: a path (`str` or `os.PathLike`), a URL (`str`, see `open_url`), the file's `bytes`,
            or a binary file object. A file object stays open and belongs to the caller; one that
            cannot seek is read whole.

    Attributes:
        name: how messages call it: the path, the file object's name, or `<bytes>`.
        size: number of bytes.

    Raises:
        VideoDecodeError: nothing there, a directory, or an empty file.
        TypeError: not one of these types.
    """

    def __init__(self, source):
        self._path: str | None = None
        self._file: BinaryIO | None = None
        self._owns_file = False
        if isinstance(source, str) and is_url(source):
            self._take_url(source)
        elif isinstance(source, (str, os.PathLike)):
            self._path = self.name = os.fsdecode(source)
            self._check_path()
            self.size = os.path.getsize(self._path)
        elif isinstance(source, (bytes, bytearray, memoryview)):
            self.name = "<bytes>"
            self._file = io.BytesIO(source)
            self.size = self._file.getbuffer().nbytes
        elif hasattr(source, "read"):
            self._take_file(source)
        else:
            raise TypeError(
                "A video is a path, bytes or a binary file object. "
                f"Received: {source!r:.80} of type {type(source).__name__}"
            )
        if self.size == 0:
            self.close()
            raise VideoDecodeError(self.name, "the file is empty (0 bytes)")

    @property
    def path(self) -> str | None:
        """The path of the file; None for URLs, bytes and file objects."""
        return self._path

    def for_ffmpeg(self) -> str | BinaryIO:
        """What FFmpeg opens; `file:` keeps it from reading a protocol into a path with a colon."""
        return f"file:{self._path}" if self._path is not None else self._rewound()

    def for_python(self) -> str | BinaryIO:
        """The plain path, or the binary file at its start."""
        return self._path if self._path is not None else self._rewound()

    def announced_size(self) -> int:
        """Number of bytes that the container announces; `size` where it announces none."""
        with self.opened() as file:
            announced = announced_size(file)
        return self.size if announced is None else announced

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """A binary file object to look into; FFmpeg may be reading from the same source."""
        if self._path is not None:
            with open(self._path, "rb") as file:
                yield file
            return
        position = self._file.tell()
        try:
            yield self._file
        finally:
            self._file.seek(position)

    def close(self) -> None:
        """Closes a file that was opened here. The caller's own file object stays open."""
        if self._owns_file:
            self._file.close()

    def _rewound(self) -> BinaryIO:
        self._file.seek(0)
        return self._file

    def _check_path(self) -> None:
        if os.path.isdir(self._path):
            raise VideoDecodeError(self._path, "this is a directory, not a video file")
        if not os.path.exists(self._path):
            raise VideoNotFoundError(self._path, "there is no such file")
        if not os.path.isfile(self._path):
            raise VideoDecodeError(self._path, "this is not a regular file")
        if not os.access(self._path, os.R_OK):
            raise VideoDecodeError(self._path, "no permission to read the file")

    def _take_url(self, url: str) -> None:
        self._take_file(open_url(url))
        self._owns_file = True
        self.name = url

    def _take_file(self, file) -> None:
        name = getattr(file, "name", None)
        self.name = name if isinstance(name, str) else f"<{type(file).__name__}>"
        if isinstance(file, io.TextIOBase):
            raise TypeError(
                "A video file must be open in binary mode, open(path, 'rb'). "
                f"Received: {file!r:.80}"
            )
        if not (hasattr(file, "seek") and (not hasattr(file, "seekable") or file.seekable())):
            file = io.BytesIO(file.read())
        self._file = file
        file.seek(0, os.SEEK_END)
        self.size = file.tell()
        file.seek(0)
