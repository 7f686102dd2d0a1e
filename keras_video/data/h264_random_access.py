"""What kind of entry point an H.264 key frame is."""

from collections.abc import Iterator

_IDR_SLICE, _SLICE, _SEI = 5, 1, 6
_RECOVERY_POINT = 6


def h264_random_access(packet: memoryview, length_size: int) -> str:
    """Tells how well decoding can start at a packet that its container marks as a key frame.

    Args:
        packet: the bytes of one frame.
        length_size: bytes of the length before each unit, 0 for start codes (`00 00 01`).

    Returns:
        `"idr"`: everything from here on decodes, nothing refers back. `"open"`: an I-frame that
        frames shown before it may refer past. `"gradual"`: intra refresh, the picture is only
        whole some frames later.

    Reference:
        ITU-T H.264, 7.3.1 (units), D.1.8 (recovery point).
    """
    for unit in _units(packet, length_size):
        kind = unit[0] & 31
        if kind == _IDR_SLICE:
            return "idr"
        if kind == _SLICE:
            break
        if kind == _SEI and _recovery_frames(unit) > 0:
            return "gradual"
    return "open"


def _units(packet: memoryview, length_size: int) -> Iterator[memoryview]:
    position, end = 0, len(packet)
    if length_size:
        while position + length_size < end:
            length = int.from_bytes(packet[position : position + length_size], "big")
            position += length_size
            if length:
                yield packet[position : position + length]
            position += length
        return
    data = bytes(packet)
    position = data.find(b"\0\0\1")
    while 0 <= position < end - 3:
        following = data.find(b"\0\0\1", position + 3)
        yield packet[position + 3 : following if following >= 0 else end]
        position = following


def _recovery_frames(unit: memoryview) -> int:
    """`recovery_frame_cnt` of a recovery point message, 0 where the unit holds none."""
    payload = bytes(unit[1:]).replace(b"\0\0\3", b"\0\0")
    position = 0
    while position + 2 < len(payload):
        kind = size = 0
        while position < len(payload) - 1 and payload[position] == 255:
            kind, position = kind + 255, position + 1
        kind, position = kind + payload[position], position + 1
        while position < len(payload) - 1 and payload[position] == 255:
            size, position = size + 255, position + 1
        size, position = size + payload[position], position + 1
        if kind == _RECOVERY_POINT:
            return _exp_golomb(payload[position : position + size])
        position += size
    return 0


def _exp_golomb(data: bytes) -> int:
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    zeros = len(bits) - len(bits.lstrip("0"))
    code = bits[zeros : 2 * zeros + 1]
    return int(code, 2) - 1 if code else 0
