"""Forbids a reader the system calls it has no business with: network, programs, other processes.

A list of what is forbidden, not of what is allowed: Python and its libraries need calls that
differ from one release to the next, and a reader that dies of a harmless one helps nobody.
"""

import contextlib
import ctypes
import platform
import struct
import sys

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_FAIL_WITH_EPERM = 0x00050000 | 1
_KILL_PROCESS = 0x80000000

# Instructions of the classic packet filter: load a word, jump if equal, jump if at least, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_OFFSET_OF_NUMBER, _OFFSET_OF_ARCHITECTURE = 0, 4
_X32_CALLS = 0x40000000

_FORBIDDEN = {
    # name: (x86-64, arm64); None where there is no such call
    "socket": (41, 198),
    "connect": (42, 203),
    "socketpair": (53, 199),
    "clone": (56, 220),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "clone3": (435, 435),
    "pidfd_getfd": (438, 438),
}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid() -> None:
    """Install the filter; no-new-privileges must be set. Does nothing where it cannot work."""
    known = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return
    code = _filter(*known)
    program = _Program(len(code) // 8, code)
    # Some container runtimes have no seccomp to offer; the other limits hold there.
    with contextlib.suppress(OSError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)


def _filter(column: int, architecture: int) -> bytes:
    numbers = [row[column] for row in _FORBIDDEN.values()]
    code = [
        _instruction(_LOAD, _OFFSET_OF_ARCHITECTURE),
        _instruction(_IF_EQUAL, architecture, then=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _OFFSET_OF_NUMBER),
        # The second set of numbers for the same calls, on x86-64.
        _instruction(_IF_AT_LEAST, _X32_CALLS, otherwise=1),
        _instruction(_RETURN, _FAIL_WITH_EPERM),
    ]
    for number in numbers:
        if number is not None:
            code.append(_instruction(_IF_EQUAL, number, otherwise=1))
            code.append(_instruction(_RETURN, _FAIL_WITH_EPERM))
    return b"".join([*code, _instruction(_RETURN, _ALLOW)])


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
