"""From what a user types to the video files that it means."""

import glob
import os
from pathlib import Path

from keras_video.data.video_decode_error import VideoNotFoundError

VIDEO_SUFFIXES = frozenset(
    ".3gp .asf .avi .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm "
    ".wmv".split()
)


def find_videos(source: str | os.PathLike) -> list[Path]:
    """Returns the files that a path, a folder or a pattern stands for, in sorted order.

    Args:
        source: a file, taken as it is whatever its suffix; a folder, searched through all its
            subfolders for files with a suffix of `VIDEO_SUFFIXES`, hidden ones left out; or a
            pattern with `*`, `?`, `[...]` and `**`, when no file has that very name.

    Returns:
        At least one path. Whether they hold readable video is not looked at.

    Raises:
        VideoNotFoundError: nothing there, no video in the folder, nothing that matches.

    Example:

    >>> find_videos("holiday/**/*.mp4")
    [PosixPath('holiday/beach.mp4'), PosixPath('holiday/evening/dance.mp4')]
    """
    source = os.fspath(source)
    path = Path(source)
    # os.path, because pathlib raises for names that are too long.
    if os.path.isdir(source):
        found = [file for file in sorted(path.rglob("*")) if _is_video(file.relative_to(path))]
        found = [file for file in found if file.is_file()]
        if not found:
            raise VideoNotFoundError(
                source,
                "no video in this folder; name files with other suffixes one by one, or with a "
                "pattern",
            )
        return found
    if os.path.exists(source):
        return [path]
    if glob.has_magic(source):
        found = [Path(match) for match in sorted(glob.glob(source, recursive=True))]
        found = [file for file in found if file.is_file()]
        if not found:
            raise VideoNotFoundError(source, "no file matches this pattern")
        return found
    raise VideoNotFoundError(source, "no such file or folder")


def _is_video(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in VIDEO_SUFFIXES and not hidden
