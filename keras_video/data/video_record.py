"""`VideoRecord`: one line of a data set."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class VideoRecord:
    """A video and its class, not opened yet.

    Args:
        source: what `open_video` takes as text: the path or URL of a video, a folder of numbered
            pictures, or an entry of a shard, `shard.tfrecord#index`.
        label: class number from 0, or `None` where it is not known.
        num_frames: how many frames the video has, where a list says so; not checked here.

    Raises:
        ValueError: an empty source, or a negative or fractional number.

    Example:

    >>> VideoRecord("videos/archery/one.mp4", label=5)
    VideoRecord(source='videos/archery/one.mp4', label=5, num_frames=None)
    """

    source: str
    label: int | None = None
    num_frames: int | None = None

    def __post_init__(self):
        source = os.fspath(self.source) if isinstance(self.source, os.PathLike) else self.source
        if not isinstance(source, str) or not source:
            raise ValueError(
                f"A record's source is the text of a path or URL. Received: source={self.source!r}"
            )
        object.__setattr__(self, "source", source)
        for name, least in (("label", 0), ("num_frames", 1)):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
                raise ValueError(
                    f"{source}: `{name}` is a whole number from {least}, or None. "
                    f"Received: {name}={value!r}"
                )
            object.__setattr__(self, name, int(value))
