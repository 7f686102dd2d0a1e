"""A video that was taken apart into a folder of pictures."""

import os
import re
from collections.abc import Sequence

from keras_video.data.encoded_frames_reader import EncodedFramesReader
from keras_video.data.video_decode_error import VideoDecodeError, VideoNotFoundError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_NUMBERED = re.compile(r"(.*?)(\d+)(\.[^.]+)")


class FrameFolderReader(EncodedFramesReader):
    """Frames by number, from a folder of numbered pictures such as `img_00001.jpg`.

    Frame 0 is the picture with the lowest number, whether the numbers start at 0 or at 1 and
    whether they have leading zeros or not. Files without a number are left out. Where a folder
    holds several series, `img_...` beside the optical flow `flow_x_...`, name the one to read.

    Args:
        path: the folder.
        prefix: the start of the pictures' names, before the number. By default the only one
            there is, optical flow not counted.
        fps: frames per second; the folder does not tell.
        allow_truncated: read a series with gaps; frame numbers then count the pictures there
            are. By default a gap is an error: pictures are missing.

    Raises:
        VideoDecodeError: no such folder, no numbered pictures in it, several series or gaps.

    Example:

    >>> with FrameFolderReader("frames/v_YoYo_g01_c01", fps=25) as video:
    ...     clip = video.get_frames(range(0, 64, 2))
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        prefix: str | None = None,
        fps: float = 30.0,
        allow_truncated: bool = False,
    ):
        path = os.fspath(path)
        pictures = _list_series(path, prefix)
        numbers = [number for number, _ in pictures]
        for before, after in zip(numbers, numbers[1:], strict=False):
            if after == before:
                raise VideoDecodeError(path, f"two pictures have the number {after}")
            if after > before + 1 and not allow_truncated:
                missing = numbers[-1] - numbers[0] + 1 - len(numbers)
                raise VideoDecodeError(
                    path,
                    f"{missing} of the pictures {numbers[0]} to {numbers[-1]} are missing, "
                    f"{before + 1} the first of them",
                )
        self._files = [name for _, name in pictures]
        super().__init__(_LazyFiles(path, self._files), name=path, fps=fps)

    def _frame_name(self, number: int) -> str:
        return self._files[number]


class _LazyFiles(Sequence):
    """The contents of files, read when they are asked for."""

    def __init__(self, folder: str, names: list[str]):
        self._folder = folder
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, number: int) -> bytes:
        name = self._names[number]
        try:
            with open(os.path.join(self._folder, name), "rb") as file:
                return file.read()
        except OSError as error:
            raise VideoDecodeError(
                self._folder, f"{name} cannot be read: {error.strerror or error}"
            ) from error


def _list_series(path: str, prefix: str | None) -> list[tuple[int, str]]:
    """Numbers and names of one series of pictures, in order of their numbers."""
    try:
        names = os.listdir(path)
    except FileNotFoundError as error:
        raise VideoNotFoundError(path, "there is no such folder") from error
    except OSError as error:
        raise VideoDecodeError(path, f"the folder cannot be read: {error.strerror}") from error
    series: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match and match[3].lower() in _SUFFIXES and not name.startswith("."):
            series.setdefault(match[1], []).append((int(match[2]), name))
    if prefix is None:
        kept = [start for start in series if not start.startswith("flow_")]
        if len(kept) > 1:
            raise VideoDecodeError(
                path,
                "the folder holds several series of pictures; name one with "
                f"FrameFolderReader(path, prefix=...), of {sorted(kept)}",
            )
        prefix = kept[0] if kept else ""
    if prefix not in series:
        found = f"; there are {sorted(series)}" if series else ""
        raise VideoDecodeError(
            path,
            f"this folder holds no numbered pictures ({prefix}00001.jpg or the like){found}",
        )
    return sorted(series[prefix])
