"""A reader of documents that does as told, for tests of what works on chunks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ocr_grpc.batches.page_sets import written
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.events import (
    Delta,
    Finished,
    PageFinished,
    PageOutcome,
    PageStarted,
    Provenance,
    Started,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.options import Mode, select_pages
from ocr_grpc.extraction.order import Order
from ocr_grpc.model import PageGeometry

PROVENANCE = Provenance(Mode.AUTO, TextSource.TEXT_LAYER)


class ScriptedExtractor:
    """Stands for `Extractor`: every document has so many pages, whatever is in it.

    Attributes:
        refusal: what documents are refused with.
        page_errors: what pages fail with, by number; taken away when it was raised, if `once`.
        held: pages that are not read before this is set.
        fatal_page: where its process dies; it only stands still, and `died` is set.
        surprise_after: so many pages of an order end before an error nobody expects.
        asked: the pages of each order, in the order of their coming.
        read: the pages that ended.
    """

    def __init__(self, page_count: int = 3) -> None:
        self.page_count = page_count
        self.refusal: OcrError | None = None
        self.page_errors: dict[int, OcrError] = {}
        self.once = False
        self.held = asyncio.Event()
        self.held.set()
        self.reading = asyncio.Event()
        self.fatal_page = 0
        self.surprise_after: int | None = None
        self.died = asyncio.Event()
        self.asked: list[str] = []
        self.read: list[int] = []
        self.stopped = 0

    async def extract(self, order: Order) -> AsyncIterator:
        pages = select_pages(order.options.pages, self.page_count)
        if self.refusal:
            raise self.refusal
        started = Started(
            "x", DocumentKind.PDF, self.page_count, sum(map(len, pages)), Mode.AUTO, None, 0, 1
        )
        await order.meter.reserve(started, pages)
        yield started
        numbers = [number for part in pages for number in part]
        numbers = numbers[: order.first_pages or None]
        self.asked.append(written(numbers))
        try:
            for at, number in enumerate(numbers):
                if at == self.surprise_after:
                    raise RuntimeError("Nobody expects this.")
                async for event in self._page(number):
                    yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped += 1
            raise
        yield Finished(Usage(), len(numbers), 0, 0, 0.0)

    async def _page(self, number: int) -> AsyncIterator:
        self.reading.set()
        await self.held.wait()
        if number == self.fatal_page:
            self.died.set()
            await asyncio.Event().wait()
        error = self.page_errors.get(number)
        if error and self.once:
            del self.page_errors[number]
        yield PageStarted(number, PageGeometry(10, 10, 72), TextSource.TEXT_LAYER)
        if error:
            yield PageFinished(number, PageOutcome.FAILED, PROVENANCE, error=error)
            return
        self.read.append(number)
        text = f"page {number}"
        yield Delta(number, text)
        usage = Usage(completion_chars=len(text), pages=1)
        yield PageFinished(number, PageOutcome.OK, PROVENANCE, usage, text, 1)


class NoBlobs:
    """Stands for `Blobs`: every document is the same empty file."""

    @asynccontextmanager
    async def local(self, key: str, folder: Path) -> AsyncIterator[Path]:
        yield folder
