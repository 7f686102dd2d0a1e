"""The list of a stream's frames from the container's own tables, without reading its packets."""

import itertools
import struct
from collections.abc import Iterator
from typing import BinaryIO

import av
import numpy as np

from keras_video.data.h264_random_access import h264_random_access
from keras_video.data.packet_index import (
    INCREMENTAL_CODECS,
    PacketIndex,
    demux_packets,
    make_index,
    unit_length_size,
)
from keras_video.data.video_source import VideoSource

# FFmpeg's flags of an index entry.
_KEY, _DISCARD = 1, 2
# The start of a key frame that is read to tell its kind; it begins with the settings of x264.
_HEAD_BYTES = 4096
_LARGEST_TABLES = 1 << 28
# So many packets are read to check what the tables say.
_CHECKED_PACKETS = 16
# Below that, reading the packets costs no more.
_WORTHWHILE = 1000


def read_container_index(
    source: VideoSource, container, stream, minimum: int = _WORTHWHILE
) -> PacketIndex | None:
    """Reads the index of a long MP4 or QuickTime stream from its sample tables.

    FFmpeg's index entries give each packet's place, time of decoding and whether it is a key
    frame; the table of composition offsets, which FFmpeg keeps to itself, gives the times of
    display. What the two say is compared with a few packets at the start and one at the end.

    Args:
        source: the file.
        container: the `av.container.InputContainer` that reads it.
        stream: its video stream.
        minimum: shorter streams give None.

    Returns:
        The same as `scan_packets`; None wherever that is not certain: other containers, fragments,
        edit lists that cut, missing data, offsets below zero.

    Raises:
        LookupError: the packets are not what the tables say. The container's position has moved.
    """
    entries = getattr(stream, "index_entries", None)  # PyAV 17 has some, earlier ones none
    if (
        not entries
        or len(entries) < minimum
        or "mp4" not in container.format.name.split(",")
        or stream.codec_context.name in {*INCREMENTAL_CODECS, "vp8"}
    ):
        return None
    with source.opened() as file:
        try:
            offsets = _composition_offsets(file, stream.id, len(entries))
        except (IndexError, ValueError, struct.error):
            return None  # damaged tables; FFmpeg knows what to make of them
        if offsets is None:
            return None
        table = [(entry.timestamp, entry.flags, entry.pos, entry.size) for entry in entries]
        dts, flags, places, sizes = np.array(table, np.int64).T
        if (places + sizes).max() > source.size or sizes.min() <= 0 or (flags & _DISCARD).any():
            return None
        keys = np.flatnonzero(flags & _KEY)
        kinds = ["idr"] * len(keys)
        if stream.codec_context.name == "h264":
            length_size = unit_length_size(stream.codec_context.extradata)
            kinds = [_kind(file, places[key], sizes[key], length_size) for key in keys.tolist()]
    pts = dts + offsets
    if not _packets_agree(container, stream, pts, dts, flags):
        raise LookupError("the packets are not what the sample tables say")
    whole = [key for key, kind in zip(keys.tolist(), kinds, strict=True) if kind != "gradual"]
    return make_index(
        container,
        stream,
        pts=pts.tolist(),
        keys=[(int(pts[key]), int(dts[key])) for key in whole],
        packets=len(pts),
        closed=set(kinds) <= {"idr"},
    )


def _kind(file: BinaryIO, place: int, size: int, length_size: int) -> str:
    file.seek(place)
    head = memoryview(file.read(min(size, _HEAD_BYTES)))
    kind = h264_random_access(head, length_size)
    if kind == "open" and size > len(head):
        kind = h264_random_access(
            memoryview(bytes(head) + file.read(size - len(head))), length_size
        )
    return kind


def _packets_agree(container, stream, pts, dts, flags) -> bool:
    """Whether the first packets, and those at the last key frame, are what the tables say."""
    last = int(np.flatnonzero(flags & _KEY)[-1]) if (flags & _KEY).any() else 0
    try:
        for goal in (0, last):
            container.seek(int(pts[goal]), stream=stream, backward=True)
            packets = itertools.islice(demux_packets(container, stream), _CHECKED_PACKETS)
            # A seek may land one key frame early.
            number = None
            for packet in packets:
                if packet.size == 0:
                    break
                if number is None:
                    number = int(np.searchsorted(dts, packet.dts))
                stated = (int(pts[number]), int(dts[number]), bool(flags[number] & _KEY))
                if (packet.pts, packet.dts, packet.is_keyframe) != stated or packet.is_discard:
                    return False
                number += 1
    except (av.error.FFmpegError, IndexError, TypeError):
        return False
    return True


def _composition_offsets(file: BinaryIO, track: int, samples: int) -> np.ndarray | None:
    """Time of display less time of decoding of each sample of a track; None where not certain.

    Reference:
        ISO/IEC 14496-12, 8.6.1.3 (ctts), 8.6.6 (elst).
    """
    movie = _read_movie(file)
    if movie is None or any(kind == b"mvex" for kind, _ in _boxes(movie)):
        return None
    for kind, trak in _boxes(movie):
        if kind != b"trak" or _track_id(trak) != track:
            continue
        edits = _find(trak, b"edts", b"elst")
        if edits is not None and not _only_shifts(edits):
            return None
        tables = _find(trak, b"mdia", b"minf", b"stbl")
        if tables is None:
            return None
        table = _find(tables, b"ctts")
        if table is None:
            return np.zeros(samples, np.int64)
        runs = np.frombuffer(table[8:], ">i4")[: 2 * int.from_bytes(table[4:8], "big")]
        counts, offsets = runs[0::2].astype(np.int64), runs[1::2].astype(np.int64)
        if len(runs) % 2 or counts.sum() != samples or counts.min() < 0 or offsets.min() < 0:
            return None
        return np.repeat(offsets, counts)
    return None


def _only_shifts(edits: memoryview) -> bool:
    """Whether an edit list plays one stretch at normal speed, possibly after a pause."""
    entry = ">QqI" if edits[0] == 1 else ">IiI"
    count, size = int.from_bytes(edits[4:8], "big"), struct.calcsize(entry)
    if len(edits) < 8 + count * size:
        return False
    played = [
        (media_time, rate)
        for _, media_time, rate in struct.iter_unpack(entry, edits[8 : 8 + count * size])
        if media_time != -1
    ]
    return len(played) <= 1 and all(rate == 1 << 16 for _, rate in played)


def _track_id(trak: memoryview) -> int | None:
    header = _find(trak, b"tkhd")
    if header is None or len(header) < 24:
        return None
    start = 20 if header[0] == 1 else 12
    return int.from_bytes(header[start : start + 4], "big")


def _read_movie(file: BinaryIO) -> memoryview | None:
    """The content of the top-level box `moov`."""
    position = 0
    while True:
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head[:8])
        start = 8
        if length == 1 and len(head) == 16:
            length, start = int.from_bytes(head[8:], "big"), 16
        if length < start:
            return None
        if kind == b"moov":
            if length > _LARGEST_TABLES:
                return None
            file.seek(position + start)
            content = file.read(length - start)
            return memoryview(content) if len(content) == length - start else None
        position += length


def _boxes(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    position = 0
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        if length < 8:
            return
        yield bytes(content[position + 4 : position + 8]), content[position + 8 : position + length]
        position += length


def _find(content: memoryview, *path: bytes) -> memoryview | None:
    """The first box at a path of nested boxes."""
    for name in path:
        content = next((inside for kind, inside in _boxes(content) if kind == name), None)
        if content is None:
            return None
    return content
