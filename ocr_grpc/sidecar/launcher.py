"""Becomes another program that ends when its parent does. Run as a script, without the package.

The request to the kernel survives `exec`. Made here and not between fork and exec of the server:
that one has threads, and a fork of theirs may hold any lock.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take the parent's process id and the command from the command line."""
    parent_pid, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent_pid):
        sys.exit(1)  # it ended before the call above: nobody is left to send the signal
    os.execv(program, [program, *arguments])  # noqa: S606 - the program is named by the settings


if __name__ == "__main__":
    main()
