"""Forbids a reader the system calls it has no business with: network, programs, other processes.

A list of what is forbidden, not of what is allowed: Python and its libraries need calls that
differ from one release to the next, and a reader that dies of a harmless one helps nobody.
"""

import ctypes
import errno
import platform
import signal
import struct
import sys

from ocr_grpc.documents import system_calls
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.system_calls import Numbers

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_FAIL_WITH = 0x00050000
_KILL_PROCESS = 0x80000000

# Instructions of the classic packet filter: load a word, jump if equal, jump if at least, jump if a
# bit is set, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_OF_NUMBER, _OFFSET_OF_ARCHITECTURE, _OFFSET_OF_ARGUMENTS = 0, 4, 16
_X32_CALLS = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""All flags of `clone` that make one: of mounts, users, processes, network, and so on."""
_THREAD = 0x10000

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""The column of its numbers, and its name in the kernel."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid(family: Family, *, may_signal: bool) -> bool:
    """Install the filter of a family; no-new-privileges must be set.

    Args:
        family: all may start threads, readers of `Family.OFFICE` programs too. Which ones, and how
            many, a filter cannot say: that is for Landlock and for a limit.
        may_signal: whether something else keeps its signals from strangers.

    Returns:
        Whether it is in force. Some container runtimes have no seccomp to offer, and other
        processors have other numbers.
    """
    known = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return False
    code = _filter(*known, family, may_signal)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0


def _filter(column: int, architecture: int, family: Family, may_signal: bool) -> bytes:
    calls = dict(system_calls.ALWAYS_FORBIDDEN)
    if not may_signal:
        calls |= system_calls.SIGNALLING
    if family is Family.PAGES:
        calls |= system_calls.STARTING_PROGRAMS
    code = [
        _instruction(_LOAD, _OFFSET_OF_ARCHITECTURE),
        _instruction(_IF_EQUAL, architecture, then=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _OFFSET_OF_NUMBER),
        # The second set of numbers for the same calls, on x86-64.
        _instruction(_IF_AT_LEAST, _X32_CALLS, otherwise=1),
        _fail(errno.EPERM),
        # Its flags are out of a filter's sight. Told that there is none, libc takes `clone`.
        *_refused(system_calls.CLONE3, column, errno.ENOSYS),
        *(line for call in calls.values() for line in _refused(call, column, errno.EPERM)),
        *_block(
            system_calls.CLONE, column, _THREAD_RULE if family is Family.PAGES else _CLONE_RULE
        ),
        *_block(system_calls.PRLIMIT, column, _PRLIMIT_RULE),
        *_block(system_calls.PRCTL, column, _PRCTL_RULE),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _refused(call: Numbers, column: int, number: int) -> list[bytes]:
    return _block(call, column, [_fail(number)])


def _block(call: Numbers, column: int, rule: list[bytes]) -> list[bytes]:
    """Return what comes to its end with `rule` for one call, and goes on for all others."""
    wanted = call[column]
    return [] if wanted is None else [_instruction(_IF_EQUAL, wanted, otherwise=len(rule)), *rule]


def _fail(number: int) -> bytes:
    return _instruction(_RETURN, _FAIL_WITH | number)


def _argument(position: int) -> bytes:
    # The lower half of 64 bits, on a little-endian processor; all that these calls look at.
    return _instruction(_LOAD, _OFFSET_OF_ARGUMENTS + 8 * position)


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


_CLONE_RULE = [
    _argument(0),
    _instruction(_IF_ANY_BIT, _NEW_NAMESPACES, otherwise=1),
    _fail(errno.EPERM),
    _instruction(_RETURN, _ALLOW),
]
_THREAD_RULE = [
    # The decoder of HEIC works in a thread of its own, and cannot be told otherwise.
    _argument(0),
    _instruction(_IF_ANY_BIT, _THREAD, then=1),
    _fail(errno.EPERM),
    _instruction(_RETURN, _ALLOW),
]
_PRLIMIT_RULE = [
    # It could set the limits of the server; 0 is the caller.
    _argument(0),
    _instruction(_IF_EQUAL, 0, then=1),
    _fail(errno.EPERM),
    _instruction(_RETURN, _ALLOW),
]
_PRCTL_RULE = [
    # A reader must not outlive its server, nor a program its reader.
    _argument(0),
    _instruction(_IF_EQUAL, _PR_SET_PDEATHSIG, otherwise=3),
    _argument(1),
    _instruction(_IF_EQUAL, signal.SIGKILL, then=1),
    _fail(errno.EPERM),
    _instruction(_RETURN, _ALLOW),
]
