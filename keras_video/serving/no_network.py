"""`forbid_network`: takes away what a process that only decodes never needs."""

import contextlib
import ctypes
import platform
import struct
import sys

# socket, socketpair, connect, execve, execveat, ptrace, process_vm_readv, process_vm_writev,
# io_uring_setup.
_CALLS = {
    "x86_64": (0xC000003E, (41, 53, 42, 59, 322, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 199, 203, 221, 281, 117, 270, 271, 425)),
}
_X32_BIT = 0x40000000
_SET_SECCOMP, _FILTER, _NO_NEW_PRIVILEGES = 22, 2, 38
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1  # EPERM
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_network() -> bool:
    """Makes the system refuse sockets, other programs and other processes' memory to this process.

    A second line behind FFmpeg's list of protocols, for a decoder that a file has taken over. On
    Linux with x86-64 or ARM64; elsewhere, and where the system does not allow it, nothing happens.
    Holds for the calling thread and those that it starts from then on.

    Returns:
        Whether it is done.

    Reference:
        https://docs.kernel.org/userspace-api/seccomp_filter.html
    """
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    architecture, calls = _CALLS[platform.machine()]
    refuse = len(calls) + 2  # from the load of the number: where the refusal stands
    lines = [
        (_LOAD, 0, 0, 4),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_JUMP_GREATER_EQUAL, refuse - 1, 0, _X32_BIT),
        *((_JUMP_EQUAL, refuse - 2 - i, 0, call) for i, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    program = _Program(len(lines), code)
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
        if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(program), 0, 0) == 0
    return False
