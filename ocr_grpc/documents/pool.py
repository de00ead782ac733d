"""Opens documents, in a fixed number of sandboxed reader processes that all callers share."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePath
from weakref import WeakSet

from ocr_grpc.documents import refusals
from ocr_grpc.documents.document import Document
from ocr_grpc.documents.errors import (
    CorruptDocument,
    DocumentTooLarge,
    EmptyDocument,
)
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.lease import Workplace
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.opened import DocumentFile, PooledDocument
from ocr_grpc.documents.readers import Readers, ReaderWatch
from ocr_grpc.documents.sniff import SNIFFED_BYTES, sniff
from ocr_grpc.fairness import FairSlots

_MAX_ENDING_CHARS = 16


class DocumentPool:
    """The way from a file to a `Document`. For use in one event loop."""

    def __init__(
        self,
        spool: Path,
        limits: DocumentLimits,
        readers: int,
        office_readers: int = 1,
        warm_readers: int = 0,
        watch: ReaderWatch | None = None,
    ) -> None:
        """Prepare a pool; nothing runs before `start`.

        Args:
            spool: the folder that rendered pages are written to; made if it is missing. Its files
                belong to whoever asked for the page.
            limits: what every document is held to.
            readers: how many reader processes to keep for PDF and images; each reads one document
                at a time.
            office_readers: the same for all other formats.
            warm_readers: how many more of each to keep ready, so that nobody waits for the
                successor of one that was killed.
            watch: is told what becomes of these processes.
        """
        self._spool = spool.absolute()
        self._limits = limits
        self._work = {
            family: Workplace(
                self._spool,
                limits,
                # One document that is slow to be refused must not keep everybody else waiting.
                FairSlots(count, spare=1),
                Readers(family, limits, count + warm_readers, watch),
            )
            for family, count in ((Family.PAGES, readers), (Family.OFFICE, office_readers))
        }
        self._open: WeakSet[PooledDocument] = WeakSet()

    async def start(self) -> None:
        """Start the reader processes and wait until they are warm.

        Raises:
            ReaderLost, OSError: they cannot be started on this machine.
        """
        await asyncio.to_thread(self._spool.mkdir, mode=0o700, parents=True, exist_ok=True)
        try:
            await self._all(Readers.start)
        except BaseException:
            await self._all(Readers.close)
            raise

    async def close(self) -> None:
        """Stop all calls under way and every process. Files handed out already stay."""
        await asyncio.gather(*(document.close() for document in list(self._open)))
        await self._all(Readers.close)

    @property
    def waiting(self) -> int:
        """How many leases are waited for, for metrics."""
        return sum(work.slots.waiting for work in self._work.values())

    @property
    def busy(self) -> int:
        """How many leases are held, for metrics."""
        return sum(work.slots.in_use for work in self._work.values())

    def reader_pids(self, family: Family | None = None) -> list[int]:
        """Return the process ids of the readers that are up, of one family or of all."""
        chosen = [family] if family else list(Family)
        return [pid for each in chosen for pid in self._work[each].readers.pids()]

    def layers(self) -> dict[Family, list[tuple[str, ...]]]:
        """Return which layers of the sandbox are in force, for each reader that is up."""
        return {family: work.readers.layers() for family, work in self._work.items()}

    async def open(
        self,
        path: Path,
        *,
        name: str = "",
        password: str = "",
        caller: str = "",
        priority: int = 0,
    ) -> Document:
        """Open the document at `path`, which must stay there and unchanged until it is closed.

        Args:
            path: a file; its name means nothing.
            name: what its owner calls it: the ending is a hint among formats of text.
            password: for an encrypted document.
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
            raise DocumentTooLarge(self._limits.max_document_bytes, size)
        found = sniff(head)
        ending = PurePath(name).suffix[1:].lower()[:_MAX_ENDING_CHARS]
        file = DocumentFile(path, found.kind, found.family, ending, password)
        document = PooledDocument(file, caller, priority, self._work[found.family])
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
            raise refusals.too_many_pages(pages, self._limits)

    async def _all(self, do: Callable[[Readers], Awaitable[None]]) -> None:
        await asyncio.gather(*(do(work.readers) for work in self._work.values()))


def _look_at(path: Path) -> tuple[Path, int, bytes]:
    with path.open("rb") as file:
        # A pipe or a device in place of a file would have no size and no end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no file")
        return path.absolute(), status.st_size, file.read(SNIFFED_BYTES)
