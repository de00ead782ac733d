"""What a reader process gives up before it sees a document. Runs in the child only.

Everything here works without privileges on any Linux, and what a platform lacks is skipped, so
that the service still runs on a developer's Mac; `enter` says what is in force.
"""

import contextlib
import ctypes
import os
import resource
import struct
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ocr_grpc
from ocr_grpc.documents import landlock, layers, seccomp
from ocr_grpc.documents.formats import Family
from ocr_grpc.processes import die_with_parent

_PR_SET_NO_NEW_PRIVS = 38
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CAPABILITY_VERSION = 0x20080522
_OPEN_FILES = 32
"""A reader has 4, those of a document are 3, and a program that it starts takes 6 for a moment."""
_TASKS = {Family.PAGES: 4, Family.OFFICE: 16}
"""Processes and threads: the reader, and the one that decodes HEIC; a pandoc has two, and some that
were may not be gone yet."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
"""Where a module that is loaded late finds what it is linked to."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds on one reader process: address space, and the size of any file it writes."""

    memory_bytes: int
    file_bytes: int


def enter(
    family: Family, limits: SandboxLimits, parent_pid: int, programs: Iterable[Path] = ()
) -> list[str]:
    """Bind this process to its parent's life and to its limits. Cannot be undone.

    Args:
        family: what it may do; see `seccomp`.
        limits: its bounds.
        parent_pid: whose death it must not survive.
        programs: what it may start, in the family that may start programs.

    Returns:
        The names of the layers that are in force; see `LAYERS`.
    """
    linux = sys.platform == "linux"
    readable = _readable()
    work_nowhere(family)
    # In a network of its own, which has nothing in it. First of all: what is counted per user, such
    # as processes, begins at zero there.
    apart = linux and _libc().unshare(_NEW_USER | _NEW_NETWORK) == 0
    die_with_parent(parent_pid)
    os.umask(0o077)
    _limit_everything(family, limits, apart)
    nowhere = family is Family.PAGES
    if not linux:
        return [layers.RLIMITS] + [layers.EMPTY_FOLDER] * nowhere
    privileges = _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    capabilities = _drop_capabilities()
    closed = landlock.restrict(readable, programs, [Path(os.devnull)])
    # Only Landlock can keep its signals to what it started itself, such as a pandoc to be stopped.
    may_signal = family is Family.OFFICE and closed and landlock.confines_signals()
    filtered = seccomp.forbid(family, may_signal=may_signal)
    if not filtered and not apart:
        _limit(resource.RLIMIT_NPROC, 0)  # at the price of HEIC, and of what needs a pandoc
    found = {
        layers.RLIMITS: True,
        layers.EMPTY_FOLDER: nowhere or closed,
        layers.PARENT_DEATH: True,
        layers.NO_NETWORK: apart,
        layers.NO_NEW_PRIVILEGES: privileges,
        layers.NO_CAPABILITIES: capabilities,
        layers.LANDLOCK: closed,
        layers.SECCOMP: filtered,
    }
    return [layer for layer, active in found.items() if active]


def work_nowhere(family: Family) -> None:
    """Make the working folder one that is empty, that nothing can be written to, and gone.

    Pandoc refuses to start in a folder that is gone: where it is needed, the root must do, which
    Landlock closes.
    """
    if family is Family.OFFICE:
        os.chdir("/")
        return
    folder = tempfile.mkdtemp(prefix="ocr-grpc-reader-")
    os.chdir(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # noqa: PTH106 - a Path of a removed folder helps nobody


def allow_cpu(seconds: float) -> None:
    """Renew the CPU allowance: `seconds` from now on, then SIGXCPU ends the process.

    The server's wall clock is stricter; this one also holds while the server itself is stuck.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + seconds) + 2, hard=False)


def _limit_everything(family: Family, limits: SandboxLimits, apart: bool) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    # Root is exempt, and must not run readers anyway. Without a user's namespace of one's own it
    # would count everything that the user runs. What bounds a hijacked reader there is the filter,
    # and that the server kills its whole group when time is up.
    if apart:
        _limit(resource.RLIMIT_NPROC, _TASKS[family])


def _limit(kind: int, value: int, *, hard: bool = True) -> None:
    # A platform may not know a limit, or have a lower one already: both are fine.
    with contextlib.suppress(ValueError, OSError):
        ceiling = resource.getrlimit(kind)[1]
        soft = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(kind, (soft, soft if hard else ceiling))


def _readable() -> list[Path]:
    """Return where Python loads modules from late, as narrow as possible.

    Not `sys.prefix` as a whole, nor every entry of `sys.path`: a checkout may be one, with the data
    folder inside.
    """
    prefixes = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    entries = [Path(entry).resolve() for entry in sys.path if entry]
    modules = [entry for entry in entries if any(prefix in entry.parents for prefix in prefixes)]
    return [*modules, *map(Path, ocr_grpc.__path__), *map(Path, _LIBRARIES)]


def _drop_capabilities() -> bool:
    """Give up every privilege: those of root, and those in a network of one's own."""
    header, none = struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24)
    return _libc().capset(header, none) == 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
