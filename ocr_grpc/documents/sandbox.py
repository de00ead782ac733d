"""What a reader process gives up before it sees a document. Runs in the child only.

Everything here works without privileges on any Linux, and what a platform lacks is skipped, so
that the service still runs on a developer's Mac. What is missing, and belongs into `enter`:
Landlock, so that a reader can open nothing but its document and the spool folder.
"""

import contextlib
import ctypes
import os
import resource
import sys
import tempfile
from dataclasses import dataclass

from ocr_grpc.documents import seccomp
from ocr_grpc.processes import die_with_parent

_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 32


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds on one reader process: address space, and the size of any file it writes."""

    memory_bytes: int
    file_bytes: int


def enter(limits: SandboxLimits, parent_pid: int) -> None:
    """Bind this process to its parent's life and to its limits. Cannot be undone."""
    die_with_parent(parent_pid)
    work_nowhere()
    os.umask(0o077)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    # No new processes or threads. Root is exempt, and must not run readers anyway.
    _limit(resource.RLIMIT_NPROC, 0)
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        seccomp.forbid()


def work_nowhere() -> None:
    """Make the working folder one that is empty, that nothing can be written to, and gone."""
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


def _limit(kind: int, value: int, *, hard: bool = True) -> None:
    # A platform may not know a limit, or have a lower one already: both are fine.
    with contextlib.suppress(ValueError, OSError):
        ceiling = resource.getrlimit(kind)[1]
        soft = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(kind, (soft, soft if hard else ceiling))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
