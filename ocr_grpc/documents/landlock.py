"""Landlock: which files this process may open from now on. Linux 5.13 and newer, no privileges.

What is open already stays so; reading is all that can be allowed again, and programs to run. It
says nothing about `stat` or `chdir`: whether a file exists can still be found out.

Source: the kernel's Documentation/userspace-api/landlock.rst.
"""

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The same on all processors."""
_ASK_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_FILE_RIGHTS = ((1, 1 << 13), (2, 1 << 14), (3, 1 << 15), (5, 1 << 16))
"""Versions, and the first right on files that each does not know yet."""
_BIND_AND_CONNECT_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_SIGNALS_SINCE = 6


def version() -> int:
    """Return the newest version of Landlock that the kernel offers; 0 if it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_VERSION))


def confines_signals() -> bool:
    """Return whether a process that is restricted can signal its own descendants only."""
    return version() >= _SIGNALS_SINCE


def restrict(
    readable: Iterable[Path], programs: Iterable[Path] = (), devices: Iterable[Path] = ()
) -> bool:
    """Let this process open nothing but what is named, and no TCP connection. Cannot be undone.

    Needs no-new-privileges, and a process of one thread.

    Args:
        readable: files, and folders with all that is below. Those that are missing are left out.
        programs: files that may be run as well.
        devices: files that may be written as well.

    Returns:
        Whether it is in force. It is not where the kernel has no Landlock, or refuses it.
    """
    known = version()
    if known == 0:
        return False
    handled = next((first - 1 for newest, first in reversed(_FILE_RIGHTS) if known >= newest), 0)
    ruleset = _ruleset(known, handled)
    if ruleset < 0:
        return False
    try:
        reading = [(path, _READ_FILE | _READ_DIR) for path in readable]
        running = [(path, _READ_FILE | _EXECUTE) for path in programs]
        writing = [(path, _READ_FILE | _WRITE_FILE | _TRUNCATE) for path in devices]
        for path, rights in (*reading, *running, *writing):
            # What is not there, or cannot be opened now, stays closed.
            with contextlib.suppress(OSError):
                _allow(ruleset, path, rights & handled)
        return _call(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _ruleset(known: int, file_rights: int) -> int:
    fields = [file_rights]
    if known >= 4:
        fields.append(_BIND_AND_CONNECT_TCP)
    if known >= _SIGNALS_SINCE:
        fields.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return _call(_CREATE_RULESET, attributes, len(attributes), 0)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= ~_READ_DIR
        rule = struct.pack("=Qi", rights, opened)
        if _call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) != 0:
            raise OSError(ctypes.get_errno(), f"landlock refuses {path}")
    finally:
        os.close(opened)


def _call(number: int, *arguments: Any) -> int:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    return syscall(
        ctypes.c_long(number),
        *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments),
    )
