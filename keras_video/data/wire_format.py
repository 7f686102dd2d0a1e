"""Protocol buffers on the wire: what is needed of them to read and write a TFRecord's data."""

from collections.abc import Iterator

import numpy as np

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class WireFormatError(ValueError):
    """The bytes are no message."""


def read_varint(data, position: int) -> tuple[int, int]:
    """The number at a position, and the position after it."""
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise WireFormatError("the record is no example: a number does not end")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7


def read_fields(data) -> Iterator[tuple[int, int, memoryview | int]]:
    """The fields of a message: number, wire type, and the value, of `LENGTH` its bytes.

    Raises:
        WireFormatError: on the way, where it is no message.
    """
    data = memoryview(data)
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        kind = tag & 7
        if kind == VARINT:
            value, position = read_varint(data, position)
        else:
            if kind == LENGTH:
                size, position = read_varint(data, position)
            elif kind in (FIXED32, FIXED64):
                size = 4 if kind == FIXED32 else 8
            else:
                raise WireFormatError(f"the record is no example: wire type {kind}")
            if position + size > len(data):
                raise WireFormatError("the record is no example: a field does not end")
            value, position = data[position : position + size], position + size
        yield tag >> 3, kind, value


def read_messages(data, wanted: int) -> Iterator[memoryview]:
    """The bytes of all fields with a number that are texts, messages or packed numbers."""
    for number, kind, value in read_fields(data):
        if number == wanted and kind == LENGTH:
            yield value


def read_integers(data) -> list[int]:
    """The numbers of an `Int64List`, whether packed or not."""
    found = []
    for _, kind, value in read_fields(data):
        if kind == VARINT:
            found.append(value)
        elif kind == LENGTH:
            position = 0
            while position < len(value):
                number, position = read_varint(value, position)
                found.append(number)
    return [number - (1 << 64) if number >> 63 else number for number in found]


def read_floats(data) -> np.ndarray:
    """The numbers of a `FloatList`, whether packed or not."""
    parts = [bytes(value) for _, kind, value in read_fields(data) if kind in (LENGTH, FIXED32)]
    joined = b"".join(parts)
    if len(joined) % 4:
        raise WireFormatError("the record is no example: floats have four bytes")
    return np.frombuffer(joined, "<f4")


def varint(value: int) -> bytes:
    """A number as it is written."""
    value = int(value) & (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def field(number: int, data: bytes) -> bytes:
    """A field of `LENGTH` as it is written."""
    return varint(number << 3 | LENGTH) + varint(len(data)) + data
