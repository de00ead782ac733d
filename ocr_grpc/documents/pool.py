"""Opens documents, in a fixed number of sandboxed reader processes that all callers share."""

import asyncio
import stat
from pathlib import Path
from weakref import WeakSet

from ocr_grpc.documents.document import Document
from ocr_grpc.documents.errors import (
    CorruptDocument,
    DocumentTooLarge,
    EmptyDocument,
    TooManyPages,
)
from ocr_grpc.documents.lease import Workplace
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.opened import PooledDocument
from ocr_grpc.documents.readers import Readers
from ocr_grpc.documents.sniff import SNIFFED_BYTES, sniff
from ocr_grpc.fairness import FairSlots


class DocumentPool:
    """The way from a file to a `Document`. For use in one event loop."""

    def __init__(self, spool: Path, limits: DocumentLimits, readers: int) -> None:
        """Prepare a pool; nothing runs before `start`.

        Args:
            spool: the folder that rendered pages are written to; made if it is missing. Its files
                belong to whoever asked for the page.
            limits: what every document is held to.
            readers: how many reader processes to keep; each reads one document at a time.
        """
        self._spool = spool.absolute()
        self._limits = limits
        self._slots = FairSlots(readers)
        self._readers = Readers(limits, readers)
        self._open: WeakSet[PooledDocument] = WeakSet()

    async def start(self) -> None:
        """Start the reader processes and wait until they are warm.

        Raises:
            ReaderLost, OSError: they cannot be started on this machine.
        """
        await asyncio.to_thread(self._spool.mkdir, mode=0o700, parents=True, exist_ok=True)
        try:
            await self._readers.start()
        except BaseException:
            await self._readers.close()
            raise

    async def close(self) -> None:
        """Stop all calls under way and every process. Files handed out already stay."""
        await asyncio.gather(*(document.close() for document in list(self._open)))
        await self._readers.close()

    @property
    def waiting(self) -> int:
        """How many leases are waited for, for metrics."""
        return self._slots.waiting

    @property
    def busy(self) -> int:
        """How many leases are held, for metrics."""
        return self._slots.in_use

    def reader_pids(self) -> list[int]:
        """Return the process ids of the readers that are up, for health checks."""
        return self._readers.pids()

    async def open(self, path: Path, *, caller: str = "", priority: int = 0) -> Document:
        """Open the document at `path`, which must stay there and unchanged until it is closed.

        Args:
            path: a file; its name means nothing.
            caller: whose turn it is when readers are scarce.
            priority: smaller goes first.

        Raises:
            DocumentError: it is empty, too large, of no known format, encrypted, damaged, or has
                too many pages.
            ReaderUnavailable: no document can be read at present.
            OSError: there is no such file.
        """
        path, size, head = await asyncio.to_thread(_look_at, path)
        if size == 0:
            raise EmptyDocument("The document is empty. Send its content.")
        if size > self._limits.max_document_bytes:
            raise DocumentTooLarge(
                f"The document has {size} bytes, more than the limit of "
                f"{self._limits.max_document_bytes} (MAX_DOCUMENT_BYTES). Split it.",
                size_bytes=size,
                limit=self._limits.max_document_bytes,
            )
        kind = sniff(head)
        where = Workplace(self._spool, self._limits, self._slots, self._readers)
        document = PooledDocument(path, kind, caller, priority, where)
        self._open.add(document)
        try:
            self._check_pages(await document.open())
        except BaseException:
            await document.close()
            raise
        return document

    def _check_pages(self, pages: int) -> None:
        if pages < 1:
            raise CorruptDocument("The document has no pages.")
        if pages > self._limits.max_pages:
            raise TooManyPages(
                f"The document has {pages} pages, more than the limit of "
                f"{self._limits.max_pages} (MAX_PAGES). Split it.",
                pages=pages,
                limit=self._limits.max_pages,
            )


def _look_at(path: Path) -> tuple[Path, int, bytes]:
    with path.open("rb") as file:
        # A pipe or a device in place of a file would have no size and no end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no file")
        return path.absolute(), status.st_size, file.read(SNIFFED_BYTES)
