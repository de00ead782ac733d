"""What child processes and their parents need to know about each other."""

import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_M_MMAP_THRESHOLD = -3
_MMAP_THRESHOLD_BYTES = 256 * 1024


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends, however that happens.

    Does nothing but check once where the kernel has no such call (outside Linux).
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        # It ended before the call above: nobody is left to send the signal.
        os._exit(1)


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory and environment.

    A document reader runs as our user; should a hostile file ever take one over, the secrets of
    this process stay out of its reach. Does nothing outside Linux.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def give_memory_back() -> None:
    """Have large blocks returned to the system as soon as they are freed.

    glibc raises its threshold for that to the size of the largest block freed so far, up to 32 MiB;
    a server that once held large documents would then keep their memory for ever.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if sys.platform == "linux" and mallopt:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)


@contextmanager
def no_collections() -> Generator[None]:
    """Look for no garbage meanwhile: for large imports.

    They make hundreds of thousands of objects that stay; to look through all of them again and
    again takes a tenth of the time of a start, and finds next to nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def keep_modules_from_collections() -> None:
    """Have the garbage collector pass over what exists now, which is modules and all they hold.

    They stay to the end, and looking through them would hold up everything for some 60 ms each
    time that the collector looks through all there is.
    """
    gc.freeze()


def allow_many_files() -> None:
    """Raise the number of files and connections that this process may have open to its bound.

    The usual 1024 are for programs that wait with `select`. Whoever opens as many connections would
    keep everybody else out.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems promise more than they give.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def resident_bytes(pid: int | None = None) -> int:
    """Return the resident memory of a process in bytes; 0 where /proc does not tell."""
    return _memory_pages(pid)[0] * os.sysconf("SC_PAGE_SIZE")


def private_bytes(pid: int | None = None) -> int:
    """Return the same without mapped files, which the kernel can drop; 0 where /proc tells not."""
    resident, mapped = _memory_pages(pid)
    return (resident - mapped) * os.sysconf("SC_PAGE_SIZE")


def _memory_pages(pid: int | None) -> tuple[int, int]:
    try:
        fields = Path(f"/proc/{pid or 'self'}/statm").read_text().split()
    except OSError:
        return 0, 0
    return int(fields[1]), int(fields[2])
