"""How long a file says that it is: the sign by which a cut file is known."""

import os
import struct
from typing import BinaryIO

_EBML_HEADER = 0x1A45DFA3
_MATROSKA_SEGMENT = 0x18538067
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"}
_BOXES_WITHOUT_VIDEO = {b"free", b"skip", b"wide", b"mfra", b"udta", b"meta", b"uuid"}


def announced_size(file: BinaryIO) -> int | None:
    """Number of bytes that the container's own structure announces.

    A file with fewer bytes than that has lost its end. MP4 and QuickTime state the size of every
    top-level box (those that hold no video do not count), AVI that of its RIFF chunk, Matroska
    and WebM that of the segment.

    Args:
        file: binary and seekable; its position is moved.

    Returns:
        The announced size, or None where the container states none (MPEG-TS, MPEG-PS, FLV, live
        WebM) or is not known here.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()  # TensorFlow's files do not return it from seek
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RIFX"):
        order = "<" if head[:4] == b"RIFF" else ">"
        return 8 + struct.unpack(order + "I", head[4:8])[0] if len(head) >= 8 else None
    if int.from_bytes(head[:4], "big") == _EBML_HEADER:
        return _matroska_size(file)
    if len(head) >= 8 and head[4:8] in _FIRST_BOXES:
        return _boxes_size(file, size)
    return None


def _boxes_size(file: BinaryIO, size: int) -> int | None:
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 0:  # the box goes on to the end of the file
            return None
        if length == 1:
            wide = file.read(8)
            if len(wide) < 8:
                return position + 16
            length = struct.unpack(">Q", wide)[0]
        if length < 8 or (kind in _BOXES_WITHOUT_VIDEO and position + length > size):
            return None
        position += length
    return position + 8 if position < size else position


def _matroska_size(file: BinaryIO) -> int | None:
    position = 0
    for _ in range(8):
        file.seek(position)
        element, id_width = _ebml_number(file, keep_marker=True)
        length, length_width = _ebml_number(file)
        if element is None or length is None:
            return None
        position += id_width + length_width + length
        if element == _MATROSKA_SEGMENT:
            return position
    return None


def _ebml_number(file: BinaryIO, keep_marker: bool = False) -> tuple[int | None, int]:
    """A variable-length integer and its width; None for a missing or an unknown one."""
    first = file.read(1)
    if not first or first == b"\0":
        return None, 0
    width = 9 - first[0].bit_length()
    value = first + file.read(width - 1)
    if len(value) < width:
        return None, 0
    number = int.from_bytes(value, "big")
    if keep_marker:
        return number, width
    number &= (1 << 7 * width) - 1
    return (None if number == (1 << 7 * width) - 1 else number), width
