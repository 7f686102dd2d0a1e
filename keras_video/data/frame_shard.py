"""Videos as JPEG frames in one large file, read by number."""

import functools
import json
import os
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np

from keras_video.data.encoded_frames_reader import EncodedFramesReader
from keras_video.data.video_decode_error import VideoDecodeError, VideoNotFoundError
from keras_video.data.video_record import VideoRecord

INDEX_SUFFIX = ".index.npz"
FORMAT = 2


class FrameShard:
    """A TFRecord file of `write_frame_shards`, read through the index beside it.

    The index knows where each frame lies, so only the frames of a clip are read, not the video.
    Each has a checksum. `tf.data.TFRecordDataset` reads the same file without the index: a record
    is a `tf.train.Example` with the features `frames` (JPEG), `label`, `source` and `fps`.

    Args:
        path: the `.tfrecord` file.

    Raises:
        VideoDecodeError: there is no such file or index, or they do not belong together.

    Example:

    >>> shard = FrameShard("shards/frames-00000-of-00008.tfrecord")
    >>> with shard.open(3) as video:
    ...     frames = video.get_frames([0, 10, 20])
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        index = self.path + INDEX_SUFFIX
        try:
            size = os.stat(self.path).st_size
            stamp = os.stat(index).st_mtime_ns
        except FileNotFoundError as error:
            what = "its index" if error.filename == index else "there is no such file"
            where = f" {os.path.basename(index)} is missing" if error.filename == index else ""
            raise VideoNotFoundError(self.path, what + where) from None
        self._info, self._arrays = _load_index(self.path, index, stamp)
        if size != self._info["size"]:
            raise VideoDecodeError(
                self.path,
                f"the shard has {size} bytes and its index tells of {self._info['size']}: one was "
                "cut off or replaced; delete both and extract the frames again",
            )

    def __len__(self) -> int:
        return len(self._info["records"])

    @property
    def records(self) -> list[VideoRecord]:
        """The videos of the shard, as `open_shard_record` takes them."""
        return [
            VideoRecord(f"{self.path}#{number}", record["label"], record["num_frames"])
            for number, record in enumerate(self._info["records"])
        ]

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Source and reason of each video that could not be extracted."""
        return [tuple(failure) for failure in self._info["failures"]]

    @property
    def sources(self) -> list[str]:
        """What each of `records` was extracted from."""
        return [record["source"] for record in self._info["records"]]

    @property
    def origin(self) -> dict:
        """What the shard was made of: `sources`, `labels` and `settings`."""
        return self._info["origin"]

    def open(self, number: int) -> EncodedFramesReader:
        """Opens one video.

        Args:
            number: its place in the shard, from 0.
        """
        return EncodedFramesReader(
            self.pictures(number),
            name=f"{self.path}#{number}",
            fps=self._info["records"][number]["fps"],
        )

    def pictures(self, number: int) -> Sequence[bytes]:
        """The JPEG files of one video, each read when it is asked for.

        Args:
            number: its place in the shard, from 0.
        """
        name = f"{self.path}#{number}"
        if not 0 <= number < len(self):
            raise VideoDecodeError(name, f"the shard holds {len(self)} videos, counted from 0")
        first, last = self._arrays["starts"][number : number + 2]
        return _ShardFrames(
            self.path,
            name,
            self._arrays["offsets"][first:last],
            self._arrays["lengths"][first:last],
            self._arrays["checksums"][first:last],
        )


def is_shard_record(source) -> bool:
    """Whether a source has the form `shard.tfrecord#3`."""
    path, separator, number = str(source).rpartition("#")
    return bool(separator) and path.endswith(".tfrecord") and number.isdecimal()


def open_shard_record(source: str) -> EncodedFramesReader:
    """Opens a video of a shard by its text.

    Args:
        source: path of the shard, `#`, and the video's number in it.

    Raises:
        VideoDecodeError: see `FrameShard`.

    Example:

    >>> with open_shard_record("shards/frames-00000-of-00008.tfrecord#3") as video:
    ...     frames = video.get_frames([0, 10, 20])
    """
    if not is_shard_record(source):
        raise VideoDecodeError(str(source), "not of the form shard.tfrecord#number")
    path, _, number = source.rpartition("#")
    return FrameShard(path).open(int(number))


class _ShardFrames(Sequence):
    """JPEG files inside a shard, each read when it is asked for."""

    def __init__(self, path: str, name: str, offsets, lengths, checksums):
        self._path, self._name = path, name
        self._offsets, self._lengths, self._checksums = offsets, lengths, checksums

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, number: int) -> bytes:
        try:
            with open(self._path, "rb", buffering=0) as file:
                file.seek(int(self._offsets[number]))
                data = file.read(int(self._lengths[number]))
        except OSError as error:
            raise VideoDecodeError(self._name, f"frame {number} was not read: {error}") from error
        if zlib.crc32(data) != self._checksums[number]:
            raise VideoDecodeError(
                self._name,
                f"frame {number} does not have the checksum it was written with: the shard is "
                "damaged; delete it and its index and extract the frames again",
            )
        return data


@functools.lru_cache(maxsize=64)
def _load_index(path: str, index: str, stamp: int) -> tuple[dict, dict[str, np.ndarray]]:
    try:
        with np.load(index, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("offsets", "lengths", "checksums", "starts")}
            info = json.loads(file["info"].tobytes())
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise VideoDecodeError(
            path,
            f"its index {os.path.basename(index)} is damaged ({error}); delete both and extract "
            "the frames again",
        ) from error
    if info.get("format") != FORMAT:
        raise VideoDecodeError(
            path,
            f"its index has format {info.get('format')}, this version reads {FORMAT}; delete both "
            "and extract the frames again",
        )
    return info, arrays
