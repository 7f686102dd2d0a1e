"""The checksum of TFRecord files, against the definition of CRC-32C."""

import numpy as np
import pytest

from keras_video.data.crc32c import _DEGREE, _TERMS, crc32c, masked_crc32c

POLYNOMIAL = 0x11EDC6F41


def by_definition(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_known_checksums():
    # RFC 3720, B.4.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0
    assert masked_crc32c(b"") == 0xA282EAD8


@pytest.mark.parametrize(
    "size", [1, 63, 64, 65, 128, 1000, 6776, 6777, 6778, 13070, 13555, 20334, 27109, 60001]
)
def test_any_number_of_bytes(size):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == by_definition(data)
    assert crc32c(memoryview(data)) == crc32c(np.frombuffer(data, np.uint8))


def test_every_flipped_bit_is_found():
    data = bytearray(np.random.default_rng(0).bytes(30_000))
    whole = crc32c(data)
    for place in np.random.default_rng(1).integers(0, len(data), 50):
        data[place] ^= 1 << place % 8
        assert crc32c(data) != whole
        data[place] ^= 1 << place % 8


def test_the_multiple_that_is_folded_by_is_one():
    remainder = 1 << _DEGREE
    for term in _TERMS:
        remainder ^= 1 << term
    while remainder.bit_length() > 32:
        remainder ^= POLYNOMIAL << (remainder.bit_length() - 33)
    assert remainder == 0
