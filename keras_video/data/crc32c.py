"""`crc32c`: the checksum of TFRecord files, in NumPy."""

import functools

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, lowest bit first.
# This multiple of it has four terms only: x^6777 + x^484 + x^100 + 1. So the remainder stays the
# same when a byte is taken away and added (XOR) to those 6777 - 484, 6777 - 100 and 6777 places
# further on. The 2^k-th power of the multiple gives the same with places times 2^k: whole stretches
# are folded at once, without looking at their bytes.
_DEGREE, _TERMS = 6777, (484, 100, 0)
_ROW = 64


def crc32c(data) -> int:
    """The CRC-32C (Castagnoli) of bytes, 0 to 2^32 - 1.

    Args:
        data: bytes or anything with the buffer protocol.

    Example:

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'

    Reference:
        Folding by sparse multiples: K. Davies et al., https://arxiv.org/abs/2412.16398
    """
    message = np.frombuffer(data, np.uint8)
    if len(message) <= _ROW:
        return _short(bytes(message))
    folded = message.copy()
    folded[:4] ^= 255
    folded = _fold(folded)
    # Zeros in front change nothing.
    rows = np.zeros((-(-len(folded) // _ROW), _ROW), np.uint8)
    rows.reshape(-1)[rows.size - len(folded) :] = folded
    places, table, head = _tables()
    crc = 0
    for row in np.bitwise_xor.reduce(table[rows + places], axis=1).tolist():
        crc = (
            head[0][crc & 255]
            ^ head[1][crc >> 8 & 255]
            ^ head[2][crc >> 16 & 255]
            ^ head[3][crc >> 24]
            ^ row
        )
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data) -> int:
    """The checksum as TFRecord files have it, so that one of data with checksums is no weak one."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _short(data: bytes) -> int:
    table = _tables()[2][4]
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def _fold(message: np.ndarray) -> np.ndarray:
    """A message of at most 6777 bytes with the same remainder; overwrites the one that is given."""
    start = 0
    while (left := len(message) - start) > _DEGREE:
        # Bytes are folded whole: these are powers from the 8th on.
        scale = 1 << (((left - 1) // _DEGREE).bit_length() - 1)
        size = min(left - _DEGREE * scale, (_DEGREE - max(_TERMS)) * scale)
        head = message[start : start + size]
        for term in _TERMS:
            place = start + (_DEGREE - term) * scale
            target = message[place : place + size]
            np.bitwise_xor(target, head, out=target)
        start += size
    return message[start:]


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """For each place in a row and each byte there, its part of the row's remainder."""
    single = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        single = np.where(single & 1, single >> 1 ^ np.uint32(_POLYNOMIAL), single >> 1)
    single = single.astype(np.uint32)
    table = np.zeros((_ROW, 256), np.uint32)
    part = single
    for place in reversed(range(_ROW)):
        table[place] = part
        part = part >> 8 ^ single[part & 255]
    places = 256 * np.arange(_ROW)
    return places, table.reshape(-1), [*table[:4].tolist(), single.tolist()]
