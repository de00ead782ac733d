"""The files that a reader is handed open, because it can open none itself."""

import errno
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ocr_grpc.documents.errors import SpoolFull

_CREATE = os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """What opening a document takes.

    Attributes:
        document: its file.
        scratch: where its reader keeps what the next one can use; made here. None if it needs none.
    """

    document: Path
    scratch: Path | None = None

    @contextmanager
    def opened(self) -> Generator[Sequence[int], None, None]:
        """Open both for the time of a `with`.

        Blocks, but no longer than the system takes to find a file on its own disk.

        Raises:
            SpoolFull: the disk has no room for the scratch file.
            OSError: the document is gone.
        """
        opened = [os.open(self.document, os.O_RDONLY | os.O_CLOEXEC)]
        try:
            if self.scratch is not None:
                opened.append(_open(self.scratch, os.O_RDWR | _CREATE))
            yield opened
        finally:
            for descriptor in opened:
                os.close(descriptor)


@contextmanager
def made(path: Path | None) -> Generator[Sequence[int], None, None]:
    """Make an empty file, readable by the owner only, and open it for the time of a `with`.

    Raises:
        SpoolFull: the disk has no room for it.
    """
    if path is None:
        yield ()
        return
    descriptor = _open(path, os.O_WRONLY | os.O_TRUNC | _CREATE)
    try:
        yield (descriptor,)
    finally:
        os.close(descriptor)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SpoolFull from None
