"""TFRecord files: records by their place in the file, without TensorFlow."""

import os
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from keras_video.data.crc32c import masked_crc32c
from keras_video.data.feature_read_error import FeatureNotFoundError, FeatureReadError

# A record: 8 bytes of length, 4 of their checksum, the data, 4 of its checksum.
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


class RecordHead(NamedTuple):
    """Where a record is, and its first bytes.

    Attributes:
        offset: of the record in the file.
        size: of its data in bytes.
        data: the first bytes of it.
    """

    offset: int
    size: int
    data: bytes


def read_record(path: str, offset: int = 0) -> bytes:
    """Reads one record.

    Args:
        path: a TFRecord file.
        offset: byte at which the record begins.

    Returns:
        The record's data.

    Raises:
        FeatureReadError: there is none, it is cut off, or a checksum is wrong.

    Example:

    >>> parse_example(read_record("train0000.tfrecord")).id
    'eXbF'
    """
    with _open(path) as file:
        size = _data_size(file, path, offset)
        data = file.read(size + _FOOTER.size)
    (checksum,) = _FOOTER.unpack(data[size:])
    data = data[:size]
    if masked_crc32c(data) != checksum:
        raise FeatureReadError(
            f"{path}#{offset}", "the record does not have the checksum that it was written with"
        )
    return data


def scan_records(path: str, peek: int = 0) -> Iterator[RecordHead]:
    """Finds the records of a file, reading no more than their beginnings.

    Args:
        path: a TFRecord file.
        peek: how many bytes of each record to read.

    Raises:
        FeatureReadError: after the last record that is whole, where one is cut off or does not
            begin as it should; its `path` has the place. There is no way to go on.
    """
    offset = 0
    with _open(path) as file:
        end = os.fstat(file.fileno()).st_size
        while offset < end or not end:
            size = _data_size(file, path, offset)
            yield RecordHead(offset, size, file.read(min(peek, size)))
            offset += _HEADER.size + size + _FOOTER.size


def write_records(file: BinaryIO, records: Iterable[bytes]) -> None:
    """Writes records to a file that is open for writing."""
    for data in records:
        length = struct.pack("<Q", len(data))
        file.write(_HEADER.pack(len(data), masked_crc32c(length)))
        file.write(data)
        file.write(_FOOTER.pack(masked_crc32c(data)))


def _open(path: str) -> BinaryIO:
    try:
        return open(path, "rb", buffering=0)
    except FileNotFoundError:
        raise FeatureNotFoundError(path, "there is no such file") from None


def _data_size(file: BinaryIO, path: str, offset: int) -> int:
    """Size of a record's data, which is there as a whole; the file is left at its beginning."""
    place, end = f"{path}#{offset}", os.fstat(file.fileno()).st_size
    if not end:
        raise FeatureReadError(place, "the file is empty (0 bytes)")
    file.seek(offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise FeatureReadError(
            place, f"a record that begins here is cut off; the file ends at {end}"
        )
    size, checksum = _HEADER.unpack(header)
    if masked_crc32c(header[:8]) != checksum:
        raise FeatureReadError(
            place,
            "no record begins here, or it is damaged, and what follows cannot be found; the file "
            f"has {end} bytes",
        )
    if offset + _HEADER.size + size + _FOOTER.size > end:
        raise FeatureReadError(
            place, f"a record of {size} bytes that begins here is cut off; the file ends at {end}"
        )
    return size
