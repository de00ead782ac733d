"""Becomes Tesseract, within limits that hold before its first byte.

A program of its own because the worker has threads, and between fork and exec of such a process no
Python may run.
"""

import os
import resource
import sys

from ocr_grpc.processes import die_with_parent

MEMORY_BYTES = 2 * 1024**3
"""Address space. A grey page of 100 megapixels takes 0.7 GiB."""

CPU_SECONDS = 900
"""The deadline of a page is shorter; this one holds while the worker itself is stopped."""


def main() -> None:
    """Run the command in the arguments, for as long as the process named first is our parent."""
    parent, *command = sys.argv[1:]
    die_with_parent(int(parent))
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        ceiling = resource.getrlimit(kind)[1]
        allowed = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(kind, (allowed, allowed))
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main()
