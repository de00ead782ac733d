"""Reads one chunk that was taken up."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_grpc.accounts.owners import Owners
from ocr_grpc.accounts.principal import Principal
from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.errors import GivenUp, WorkerCrashed
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.operations import EndedPage, Work
from ocr_grpc.batches.page_sets import CHUNK_PAGES, numbers_of, written
from ocr_grpc.batches.page_writer import PageWriter
from ocr_grpc.batches.passing import MAX_ERRORS, is_passing
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.engines.page_read import Priority
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import (
    Event,
    Failed,
    Finished,
    PageFinished,
    PageOutcome,
    Provenance,
    Started,
)
from ocr_grpc.extraction.extractor import Extractor
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.kept_options import opened_options
from ocr_grpc.extraction.metered import page_usage
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.order import Order
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.metering.entries import Reservation
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.sealing import Seal

METHOD = "BatchService/CreateBatch"
"""What pages of batches are charged under in the ledger."""

MAX_CRASHES = 12

EncodePage = Callable[[Iterable[Event]], bytes]
"""Turns the events of a page into what is kept of it."""


@dataclass(frozen=True, slots=True)
class ReadingParts:
    """What reading chunks takes."""

    desk: Desk
    extractor: Extractor
    owners: Owners
    files: Files
    blobs: Blobs
    fetcher: Fetcher
    seal: Seal
    encode_page: EncodePage
    folder: Path
    """For documents that are fetched from a store elsewhere, for as long as they are read."""
    max_document_bytes: int


class ChunkReading:
    """Reads the pages of one chunk, from wherever the last attempt stopped."""

    def __init__(self, parts: ReadingParts, work: Work) -> None:
        self._parts = parts
        self._work = work
        self._writer = PageWriter(parts.desk, work.token)
        self._options = ExtractOptions()
        self._owner: Principal | None = None
        self._ended = set(work.done)
        self.pages = work.pages
        """Those of the chunk; empty until the document was opened."""

    async def run(self) -> None:
        """Read what is left, and close the chunk.

        Raises:
            LeaseLost: somebody else has it, or it was cancelled.
            OcrError: the document cannot be read, or not now.
        """
        work = self._work
        if hopeless := self._hopeless():
            await self.bury(hopeless)
            return
        self._options = opened_options(self._parts.seal, work.options)
        if not self.pages:
            # Before a byte of the document is touched: its owner may be locked out by now.
            self._owner = await self._parts.owners.principal(work.user_id, work.key_id)
        try:
            async with self._document() as document:
                if work.alone:
                    await self._read_one_by_one(document)
                elif self.pages:
                    await self._read(document, self._missing())
                else:
                    await self._read(document, [], CHUNK_PAGES)
            await self._parts.desk.end(work.token, await self._writer.rest())
        except Exception:
            # What ended before counts, whatever becomes of the rest. If that cannot be written
            # either, it is read again.
            with suppress(Exception):
                await self._writer.drain()
            raise
        finally:
            await self._writer.close()

    async def bury(self, error: OcrError) -> None:
        """Give the chunk up; pages of it that did not end are failed."""
        await self._parts.desk.end(self._work.token, self._failed(self._unwritten(), error), error)

    async def fail(self, error: OcrError) -> None:
        """Close what the document's own error ends: the document if it was never opened, else the
        pages that are left of this chunk.
        """
        if self.pages:
            await self._parts.desk.end(self._work.token, self._failed(self._unwritten(), error))
        else:
            await self._parts.desk.fail(self._work.token, error)

    def _hopeless(self) -> OcrError | None:
        """Return why the chunk is given up, None if it is worth an attempt."""
        work = self._work
        if (work.condemned == 0 and not work.pages) or work.crashes >= MAX_CRASHES:
            return WorkerCrashed()
        return GivenUp("an error that did not pass") if work.errors >= MAX_ERRORS else None

    def _unwritten(self) -> list[int]:
        """Return pages that may not be written; one that is stays as it is when written again."""
        return [page for page in numbers_of(self.pages) if page not in self._work.done]

    def _missing(self) -> list[int]:
        return [page for page in numbers_of(self.pages) if page not in self._ended]

    @asynccontextmanager
    async def _document(self) -> AsyncGenerator[SpooledDocument, None]:
        work, parts = self._work, self._parts
        file_id, size_bytes = work.file_id, work.size_bytes
        if file_id is None and work.url is not None:
            chunks = parts.fetcher.chunks(parts.seal.open(work.url).decode(), "url")
            async with aclosing(chunks):
                limit = parts.max_document_bytes
                row = await parts.files.store_fetched(work.user_id, chunks, work.file_name, limit)
            file_id, size_bytes = row.file_id, row.size_bytes
            await parts.desk.fetched(work.token, file_id, row.file_name, size_bytes)
        async with parts.blobs.local(file_id or "", parts.folder) as path:
            yield SpooledDocument(path, size_bytes)

    async def _read_one_by_one(self, document: SpooledDocument) -> None:
        """Read page by page, saying beforehand which: should the process die, it was that one."""
        desk, work = self._parts.desk, self._work
        if not self.pages:
            await desk.suspect(work.token, 0)
            await self._read(document, [], first_pages=1)
            await self._writer.drain()
        for page in self._missing():
            if page == work.condemned:
                await desk.pages(work.token, self._failed([page], WorkerCrashed()))
                continue
            await desk.suspect(work.token, page)
            await self._read(document, [page])
            await self._writer.drain()

    async def _read(
        self, document: SpooledDocument, pages: list[int], first_pages: int = 0
    ) -> None:
        """Read pages, or as many as are given of all that are asked for."""
        if self.pages and not pages:
            return
        work = self._work
        asked = written(pages) if pages else self._options.pages
        order = Order(
            document,
            work.file_name,
            replace(self._options, pages=asked, page_image_side_px=0),
            work.user_id,
            ChunkMeter(self),
            Interruption(),
            Priority.BATCH,
            work.weight,
            first_pages,
        )
        passing: OcrError | None = None
        kept: dict[int, list[Event]] = {}
        async with aclosing(self._parts.extractor.extract(order)) as events:
            async for event in events:
                if isinstance(event, Started | Finished | Failed):
                    continue
                kept.setdefault(event.page_number, []).append(event)
                if not isinstance(event, PageFinished):
                    continue
                of_page = kept.pop(event.page_number)
                if event.outcome is PageOutcome.FAILED and is_passing(event.error):
                    passing = event.error
                else:
                    self._ended.add(event.page_number)
                    self._writer.add(self._ended_page(event, of_page))
        if passing:
            raise passing

    async def plan(self, started: Started, pages: list[range]) -> None:
        """Reserve the pages of the document, and cut it, if that was not done before.

        Raises:
            QuotaExceeded: fewer are left.
        """
        if self.pages or self._owner is None:
            return
        work, parts = self._work, self._parts
        reservation = Reservation(
            principal=self._owner,
            pages=tuple(pages),
            method=METHOD,
            kind=started.kind.value,
            call_id=work.call_id,
            extraction_id=work.token.document_id,
        )
        self.pages = await parts.desk.plan(work.token, reservation, started.document_page_count)

    def _ended_page(self, event: PageFinished, of_page: Iterable[Event]) -> EndedPage:
        return EndedPage(
            event.page_number,
            event.outcome.value,
            event.error.reason if event.error else "",
            page_usage(event.usage),
            self._parts.encode_page(of_page),
        )

    def _failed(self, pages: Iterable[int], error: OcrError) -> list[EndedPage]:
        """Return pages as they are written that were not read because of an error."""
        mode = Provenance(self._options.mode)
        ends = (PageFinished(page, PageOutcome.FAILED, mode, error=error) for page in pages)
        return [self._ended_page(end, [end]) for end in ends]


class ChunkMeter:
    """The meter of a chunk: its pages are charged where they are written; see `Meter`."""

    def __init__(self, reading: ChunkReading) -> None:
        self._reading = reading

    async def reserve(self, started: Started, pages: list[range]) -> None:
        """Reserve the pages of a document that is opened for the first time."""
        await self._reading.plan(started, pages)

    async def charge(self, page: PageFinished) -> None:
        """Do nothing: a page is charged in the transaction that writes it."""

    def delivered(self, event: Event) -> None:
        """Do nothing: nobody sees a page before it is written."""

    async def settle(self, error: OcrError | None) -> None:
        """Do nothing: the row in the ledger is the document's, not this chunk's."""

    async def abandon(self) -> None:
        """Do nothing, for the same reason."""
