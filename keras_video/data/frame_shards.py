"""Extracts the frames of videos, once, into files that are fast to read."""

import contextlib
import dataclasses
import json
import os
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_video.data.decoders import open_video
from keras_video.data.frame_shard import FORMAT, INDEX_SUFFIX, FrameShard
from keras_video.data.parallel_map import parallel_map
from keras_video.data.resizing import resize_short_side
from keras_video.data.video_decode_error import VideoDecodeError
from keras_video.data.video_record import VideoRecord

# A record in a TFRecord file: 8 bytes of length, 4 of checksum, the data, 4 of checksum.
_HEADER, _FOOTER = 12, 4
_FRAMES_AT_ONCE = 32


class _Job(NamedTuple):
    """A video to extract; `copy` is the shard, and the place in it, that has it already."""

    record: VideoRecord
    copy: tuple[FrameShard, int] | None


class _Extracted(NamedTuple):
    """The JPEG files of a video, or why there are none."""

    pictures: list[bytes]
    fps: float
    failure: str | None = None


@dataclasses.dataclass(frozen=True)
class FrameShardsReport:
    """What `write_frame_shards` did.

    Args:
        records: the extracted videos, in order, with sources such as `shard.tfrecord#3`.
        failures: source and reason of each video that could not be read.
        written: number of shards that were written.
        kept: number of shards that an earlier run had finished.
    """

    records: list[VideoRecord]
    failures: list[tuple[str, str]]
    written: int
    kept: int


def write_frame_shards(
    records: Iterable[VideoRecord],
    folder: str | os.PathLike,
    *,
    records_per_shard: int = 64,
    short_side: int | None = 256,
    quality: int = 90,
    decoder: str = "pyav",
    workers: int | None = None,
    retry_failed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> FrameShardsReport:
    """Writes all frames of videos as JPEG files into TFRecord shards.

    A shard appears under its name when it is complete, so an interrupted run leaves finished
    shards and nothing else that would be read. Called again with the same videos and settings, it
    goes on after them; what it had of the shard at hand is extracted anew. A video that cannot be
    read is left out and reported. A shard of nothing but such videos is there and empty: it keeps
    their failures.

    Threads extract, each a video; the shards have the same bytes for any number of them. Two
    videos for each thread are in memory at most, as JPEG.

    Args:
        records: the videos.
        folder: where the shards go; made if there is none.
        records_per_shard: videos in a shard.
        short_side: length in pixels to which the shorter side of frames is resized; None leaves
            their size alone.
        quality: of the JPEG files, from 1 to 95.
        decoder: see `open_video`.
        workers: number of threads, by default the number of cores.
        retry_failed: make finished shards with failures anew: try the videos that failed once
            more, and copy the others. Places in these shards change, so write their list anew.
        progress: called after each video, and once for a shard that was there, with the numbers
            of videos done and in total.

    Returns:
        A `FrameShardsReport`; its `records` are what a `VideoDataset` reads.

    Raises:
        ValueError: the folder holds shards of other videos or settings, or a damaged one.
        OSError: a file cannot be written, for example because the disk is full. Run it again once
            there is room.

    Example:

    >>> report = write_frame_shards(VideoList.read("train.list"), "shards/")
    >>> VideoList(report.records, labels).write("shards/train.list")
    """
    numbers = {
        "records_per_shard": records_per_shard,
        "short_side": short_side,
        "workers": workers,
    }
    for name, value in numbers.items():
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    if not isinstance(quality, int) or not 1 <= quality <= 95:
        raise ValueError(f"`quality` must be from 1 to 95. Received: quality={quality!r}")
    records = list(records)
    if not records:
        raise ValueError("There are no videos to extract. Received: records=[]")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        records[start : start + records_per_shard]
        for start in range(0, len(records), records_per_shard)
    ]
    paths = [
        folder / f"frames-{number:05d}-of-{len(parts):05d}.tfrecord" for number in range(len(parts))
    ]
    settings = {"short_side": short_side, "quality": quality}
    origins = [
        {
            "sources": [record.source for record in part],
            "labels": [record.label for record in part],
            "settings": settings,
        }
        for part in parts
    ]
    to_write = set()
    for path, origin in zip(paths, origins, strict=True):
        old = FrameShard(path) if path.exists() else None
        if old is not None:
            _check_same(old, origin)
        if old is None or (retry_failed and old.failures):
            to_write.add(path)
    if to_write:
        _check_other_shards(folder, len(parts))

    report = FrameShardsReport([], [], len(to_write), len(parts) - len(to_write))
    seen = 0

    def advance(count: int) -> None:
        nonlocal seen
        seen += count
        if progress is not None:
            progress(seen, len(records))

    stop = threading.Event()
    # One queue for all shards: threads do not wait at the end of each.
    extracted = parallel_map(
        lambda job: _obtain(job, settings, decoder, stop),
        (
            job
            for path, part in zip(paths, parts, strict=True)
            if path in to_write
            for job in _jobs(path, part)
        ),
        workers,
        stop,
    )
    with contextlib.closing(extracted):
        for path, part, origin in zip(paths, parts, origins, strict=True):
            if path in to_write:
                _write_shard(path, part, origin, islice(extracted, len(part)), advance)
            else:
                advance(len(part))
            shard = FrameShard(path)
            report.records.extend(shard.records)
            report.failures.extend(shard.failures)
    return report


def _jobs(path: Path, records: list[VideoRecord]) -> list[_Job]:
    old = FrameShard(path) if path.exists() else None
    places = {} if old is None else {source: place for place, source in enumerate(old.sources)}
    return [
        _Job(record, (old, places[record.source]) if record.source in places else None)
        for record in records
    ]


def _check_same(shard: FrameShard, origin: dict) -> None:
    for what in ("sources", "labels", "settings"):
        if shard.origin[what] != origin[what]:
            raise ValueError(
                f"{shard.path} was made with other {what}. Delete it or choose another folder. "
                f"Received: {what}={_shorten(origin[what])}, the shard has "
                f"{_shorten(shard.origin[what])}"
            )


def _check_other_shards(folder: Path, count: int) -> None:
    other = sorted(
        path.name
        for path in folder.glob("frames-*-of-*.tfrecord")
        if not path.name.endswith(f"-of-{count:05d}.tfrecord")
    )
    if other:
        raise ValueError(
            "The folder holds shards of another extraction. Delete them or choose another folder. "
            f"Received: folder={str(folder)!r} with {other[0]}, for {count} shards"
        )


def _shorten(value) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:80] + "..."


def _write_shard(
    path: Path,
    records: list[VideoRecord],
    origin: dict,
    extracted: Iterator[_Extracted],
    advance: Callable[[int], None],
) -> None:
    import tensorflow as tf

    partial = path.with_name(f".{path.name}.partial")
    partial_index = path.with_name(f".{path.name}{INDEX_SUFFIX}.partial")
    written, failures, places = [], [], []
    position = 0
    try:
        with tf.io.TFRecordWriter(str(partial)) as writer:
            for record, (pictures, fps, failure) in zip(records, extracted, strict=True):
                if failure is not None:
                    failures.append((record.source, failure))
                else:
                    example = _to_example(tf, record, pictures, fps)
                    writer.write(example)
                    places.append(_locate(pictures, example, position + _HEADER))
                    position += _HEADER + len(example) + _FOOTER
                    written.append(
                        {
                            "source": record.source,
                            "label": record.label,
                            "num_frames": len(pictures),
                            "fps": float(fps),
                        }
                    )
                advance(1)
        info = {
            "format": FORMAT,
            "size": position,
            "records": written,
            "failures": failures,
            "origin": origin,
        }
        _write_index(partial_index, info, places)
        _sync(partial)
        # The shard's own name comes last: where it is, all of it is. One that was there goes
        # first: it must not be seen with the index of the new one.
        path.unlink(missing_ok=True)
        os.replace(partial_index, f"{path}{INDEX_SUFFIX}")
        os.replace(partial, path)
    except tf.errors.OpError as error:
        raise OSError(f"{path} was not written: {error.message}") from error
    finally:
        partial.unlink(missing_ok=True)
        partial_index.unlink(missing_ok=True)


def _obtain(job: _Job, settings: dict, decoder: str, stop: threading.Event) -> _Extracted:
    if job.copy is not None:
        shard, place = job.copy
        with shard.open(place) as video:
            return _Extracted(list(shard.pictures(place)), video.fps)
    try:
        return _extract(job.record.source, settings, decoder, stop)
    except VideoDecodeError as error:
        return _Extracted([], 0.0, error.reason)


def _extract(source: str, settings: dict, decoder: str, stop: threading.Event) -> _Extracted:
    def shrink(frame: np.ndarray) -> np.ndarray:
        short_side = settings["short_side"]
        return frame if short_side is None else resize_short_side(frame, short_side)

    pictures = []
    # Pillow lets other threads run while it encodes only if it writes to a real file.
    file = tempfile.TemporaryFile(buffering=0)
    with file, open_video(source, decoder=decoder) as video:
        for start in range(0, len(video), _FRAMES_AT_ONCE):
            # An error elsewhere or Ctrl-C must not wait for long videos.
            if stop.is_set():
                raise InterruptedError("stopped")
            numbers = range(start, min(start + _FRAMES_AT_ONCE, len(video)))
            for frame in video.get_frames(numbers, transform=shrink):
                file.seek(0)
                Image.fromarray(frame).save(file, "JPEG", quality=settings["quality"])
                size = file.tell()
                file.seek(0)
                pictures.append(file.read(size))
        return _Extracted(pictures, video.fps)


def _to_example(tf, record: VideoRecord, pictures: list[bytes], fps: float) -> bytes:
    feature = {
        "frames": tf.train.Feature(bytes_list=tf.train.BytesList(value=pictures)),
        "source": tf.train.Feature(bytes_list=tf.train.BytesList(value=[record.source.encode()])),
        "fps": tf.train.Feature(float_list=tf.train.FloatList(value=[fps])),
    }
    if record.label is not None:
        feature["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[record.label]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def _locate(pictures: list[bytes], example: bytes, start: int) -> np.ndarray:
    """Offset in the file, length and checksum of each picture, one row each."""
    rows, position = [], 0
    for picture in pictures:
        position = example.index(picture, position)
        rows.append((start + position, len(picture), zlib.crc32(picture)))
        position += len(picture)
    return np.array(rows, np.uint64)


def _write_index(path: Path, info: dict, places: list[np.ndarray]) -> None:
    table = np.concatenate([np.zeros((0, 3), np.uint64), *places])
    with open(path, "wb") as file:
        np.savez(
            file,
            info=np.frombuffer(json.dumps(info).encode(), np.uint8),
            starts=np.cumsum([0] + [len(rows) for rows in places]),
            offsets=table[:, 0],
            lengths=table[:, 1].astype(np.uint32),
            checksums=table[:, 2].astype(np.uint32),
        )
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
