"""The list of a stream's frames, read from its packets without decoding them."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np

from keras_video.data.h264_random_access import h264_random_access

# Containers without time stamps of display: FFmpeg makes them up, wrongly where frames reorder.
_UNTIMED_FORMATS = {"avi", "h264", "hevc", "m4v", "mpegvideo", "mpeg1video", "mpeg2video", "obu"}
# A frame of these only changes part of the picture before it, though every packet is marked key.
INCREMENTAL_CODECS = {"gif", "apng", "webp", "webp_anim"}


@dataclass
class PacketIndex:
    """Which frames a stream has and where decoding can start.

    Attributes:
        pts: time stamps of the frames in order of display, in units of the stream's time base.
        keys: time stamps of the key frames from which decoding is exact, ascending.
        key_dts: decoding time stamp of each key frame, or its `pts` where there is none.
        counted: time stamps do not tell frames apart; frame `i` is the `i`-th to be decoded.
        declared: number of frames that the container's header states, 0 where it states none.
        packets: number of frames' packets, those that an edit list hides included.
        closed: every key frame is one that no later frame refers past.
        hides_frames: an edit list hides some frames.
        partial: the last packet ends before its frame does.
        last_pts: time stamp of the last packet in the file.
    """

    pts: np.ndarray
    keys: np.ndarray
    key_dts: np.ndarray
    counted: bool = False
    declared: int = 0
    packets: int = 0
    closed: bool = True
    hides_frames: bool = False
    partial: bool = False
    last_pts: int | None = None

    def __len__(self) -> int:
        return len(self.pts)

    def key_before(self, frame: int) -> int:
        """Position in `keys` of the last key frame at or before a frame; -1 for none."""
        return int(np.searchsorted(self.keys, self.pts[frame], "right")) - 1

    def drop_partial(self) -> None:
        """Forgets the last packet if a cut left only a part of it."""
        if self.partial and self.last_pts is not None and not self.counted:
            kept = self.keys != self.last_pts
            self.keys, self.key_dts = self.keys[kept], self.key_dts[kept]
            self.pts = self.pts[self.pts != self.last_pts]
        elif self.partial:
            self.pts = self.pts[:-1]
        self.packets -= self.partial
        self.partial = False


def demux_packets(container, stream) -> Iterator:
    """The packets of one stream from the current position on, then an empty one.

    Raises:
        av.error.FFmpegError: the file cannot be read further.
    """
    try:
        yield from container.demux(stream)
    except IndexError:
        # PyAV fails so at the end of a damaged file in which new streams seemed to turn up; by
        # then all packets of the known ones have been given out.
        return


def scan_packets(container, stream) -> PacketIndex:
    """Reads all packets of a stream once.

    Args:
        container: an `av.container.InputContainer` at its start.
        stream: its video stream.
    """
    pts, keys, untimed, hidden = [], [], 0, 0
    dropped = 0
    partial = False
    codec = stream.codec_context.name
    length_size = unit_length_size(stream.codec_context.extradata)
    entries = set()
    try:
        for packet in demux_packets(container, stream):
            if packet.size == 0:
                dropped += packet.pts is not None  # AVI marks a repeated frame by an empty packet
                continue
            if codec == "vp8" and not _vp8_is_shown(packet):
                continue
            partial = packet.is_corrupt
            if packet.is_discard:
                hidden += 1
                continue
            if packet.pts is None:
                untimed += 1
                continue
            pts.append(packet.pts)
            if not packet.is_keyframe:
                continue
            entry = "idr"
            if codec == "h264":
                entry = h264_random_access(memoryview(packet), length_size)
                entries.add(entry)
            if entry != "gradual":
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
    except av.error.FFmpegError:
        pass  # what could be read counts; the reader compares it with what the header declares
    return make_index(
        container,
        stream,
        pts=pts,
        keys=keys,
        untimed=untimed,
        packets=len(pts) + untimed + hidden + dropped,
        closed=entries <= {"idr"},
        hides_frames=hidden > 0,
        partial=partial,
    )


def make_index(
    container,
    stream,
    *,
    pts: list[int],
    keys: list[tuple[int, int]],
    packets: int,
    closed: bool,
    untimed: int = 0,
    hides_frames: bool = False,
    partial: bool = False,
) -> PacketIndex:
    """A `PacketIndex` from what is known of a stream's packets.

    Args:
        container: the `av.container.InputContainer`.
        stream: its video stream.
        pts: time stamps of the frames that have one, in the order of their packets.
        keys: time stamp and decoding time stamp of each key frame.
        untimed: number of frames without time stamps.
        packets, closed, hides_frames, partial: see `PacketIndex`.
    """
    keys = sorted(keys)
    return PacketIndex(
        pts=np.array(sorted(pts) if not untimed else range(len(pts) + untimed), np.int64),
        keys=np.array([key[0] for key in keys], np.int64),
        key_dts=np.array([key[1] for key in keys], np.int64),
        counted=bool(untimed) or _must_count(container, stream, pts),
        declared=stream.frames,
        packets=packets,
        closed=closed,
        hides_frames=hides_frames,
        partial=partial,
        last_pts=pts[-1] if pts else None,
    )


def unit_length_size(extradata: bytes | None) -> int:
    """Bytes before each H.264 unit, by the configuration record; 0 for streams of start codes."""
    return (extradata[4] & 3) + 1 if extradata and len(extradata) > 6 and extradata[0] == 1 else 0


def _must_count(container, stream, pts: list[int]) -> bool:
    if stream.codec_context.name in INCREMENTAL_CODECS or len(set(pts)) < len(pts):
        return True
    if not stream.codec_context.has_b_frames:
        return False
    # Frames that reorder have time stamps that go back and forth; these were invented.
    only_grow = all(before < after for before, after in zip(pts, pts[1:], strict=False))
    return only_grow or bool(_UNTIMED_FORMATS & set(container.format.name.split(",")))


def _vp8_is_shown(packet) -> bool:
    return bool(memoryview(packet)[0] & 0x10)
