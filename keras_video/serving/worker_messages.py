"""`write_message`, `MessageReader`: what a server and its decoding processes say."""

import json
import os
import select
import struct
import time

import numpy as np

# No honest answer is larger: 30 views of 64 frames of 320x320 pixels are 590 MB.
LARGEST_PAYLOAD = 1 << 30
_LARGEST_HEADER = 1 << 20
# What `poll` takes at most, in milliseconds: three weeks.
_LONGEST_POLL = 2**31 - 1


def write_message(descriptor: int, header: dict, payload: np.ndarray | None = None) -> None:
    """Writes a JSON object, and an array of bytes if there is one."""
    if payload is not None:
        payload = np.ascontiguousarray(payload)
        header = {**header, "shape": payload.shape}
    text = json.dumps(header).encode()
    _write_all(descriptor, struct.pack(">I", len(text)) + text)
    if payload is not None:
        _write_all(descriptor, memoryview(payload).cast("B"))


def _write_all(descriptor: int, data) -> None:
    data = memoryview(data)
    while data:
        data = data[os.write(descriptor, data) :]


class MessageReader:
    """Reads messages; whoever sends them is not trusted.

    Args:
        descriptor: of a pipe.
    """

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLHUP)

    def read(self, end: float) -> tuple[dict, np.ndarray | None]:
        """The next message.

        Args:
            end: until when, on the clock of `time.monotonic`.

        Raises:
            TimeoutError: it did not come in time.
            EOFError: the other side is gone, or says what cannot be.
        """
        (length,) = struct.unpack(">I", self._read(np.empty(4, np.uint8), end))
        if length > _LARGEST_HEADER:
            raise EOFError("a message that cannot be")
        try:
            header = json.loads(bytes(self._read(np.empty(length, np.uint8), end)))
            shape = header.get("shape")
            if shape is None:
                return header, None
            sizes = [int(size) for size in shape]
        except (ValueError, TypeError, AttributeError) as error:
            raise EOFError("a message that cannot be") from error
        total = 1
        for size in sizes:
            total *= size
            if size < 1 or total > LARGEST_PAYLOAD:
                raise EOFError("a message that cannot be")
        return header, self._read(np.empty(sizes, np.uint8), end)

    def _read(self, array: np.ndarray, end: float) -> np.ndarray:
        rest = memoryview(array).cast("B") if array.size else memoryview(b"")
        while rest:
            left = 1000 * (end - time.monotonic())
            if not self._poll.poll(min(max(0.0, left), _LONGEST_POLL)):
                raise TimeoutError
            count = os.readv(self._descriptor, [rest])
            if count == 0:
                raise EOFError("the process is gone")
            rest = rest[count:]
        return array
