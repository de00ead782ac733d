"""The main job: a document goes in, its events come out."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
)
from dataclasses import dataclass
from time import monotonic

from ocr_grpc.documents.errors import DocumentTimedOut
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.page_read import Priority
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.admission import Admission
from ocr_grpc.extraction.cache import ResultCache
from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.engine_choice import ChosenEngines, Engines, check_fits
from ocr_grpc.extraction.engine_reading import ReadingTerms
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.extraction.events import (
    Event,
)
from ocr_grpc.extraction.image_slots import ImageSlots
from ocr_grpc.extraction.inspection import InspectedDocument, inspected
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.metered_pages import metered_pages, started_of
from ocr_grpc.extraction.observed import observed
from ocr_grpc.extraction.options import ExtractOptions, Mode, select_pages
from ocr_grpc.extraction.order import Order
from ocr_grpc.extraction.page_context import PageContext
from ocr_grpc.extraction.page_reader import PageReader
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.document_metrics import DocumentMetrics

MAX_WAIT_SECONDS = 30 * 86_400.0

MOST_PAGES_UNDER_WAY = 512
"""Of all documents together, but one of each. A page whose caller reads slowly holds its text; and
so many keep all engines busy, whatever the number of documents they are of."""

REPLAYED_AT_ONCE = 8
"""Pages of a cached document that are under way together: their charges share a commit."""


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """The bounds of the work; the fields are settings of the same names."""

    pages_at_once: int
    """0: as many as the engine can read, and two more."""
    page_timeout_seconds: float
    document_timeout_seconds: float
    max_extractions: int
    max_extractions_per_caller: int
    max_inline_total_bytes: int
    llm_concurrency: int


class Extractor:
    """Reads documents. One for the whole server, made in its event loop."""

    def __init__(
        self,
        documents: DocumentPool,
        engines: Engines,
        limits: ExtractionLimits,
        metrics: DocumentMetrics,
        cache: ResultCache | None = None,
    ) -> None:
        """Take what reads, within which limits, what counts, and what keeps results if anything."""
        self._documents = documents
        self._cache = cache
        self._engines = engines
        self._metrics = metrics
        self._limits = limits
        self._admission = Admission(
            limits.max_extractions, limits.max_extractions_per_caller, limits.max_inline_total_bytes
        )
        self._images = ImageSlots(engines, limits.pages_at_once, limits.llm_concurrency)
        self._running: set[Interruption] = set()

    def admitted(self, caller: str, held_bytes: int) -> AbstractContextManager[None]:
        """Count an extraction for as long as the block lasts; see `Admission.admitted`."""
        return self._admission.admitted(caller, held_bytes)

    @property
    def waiting(self) -> int:
        """How many opened documents have not begun."""
        return self._admission.waiting

    def interrupt(self) -> None:
        """End all extractions now, each with a last event that says why; for a shutdown."""
        for interruption in self._running:
            interruption.end(ShuttingDown())

    def resize(self) -> None:
        """Adjust to how many pages the engines can read at once at this moment."""
        self._images.resize()

    def check(self, options: ExtractOptions) -> None:
        """Refuse options that can never be honoured, before a byte of the document is taken.

        Raises:
            InvalidOption: naming the field.
        """
        options.check()
        self._engines.choose(options)

    async def inspect(
        self, document: SpooledDocument, file_name: str, options: ExtractOptions, caller: str
    ) -> InspectedDocument:
        """Return what a document is, without reading it; see `inspection.inspected`."""
        limit = self._limits.document_timeout_seconds
        try:
            async with asyncio.timeout(limit):
                return await inspected(self._documents, document, file_name, options, caller)
        except TimeoutError:
            raise _timed_out(limit) from None

    async def extract(self, order: Order) -> AsyncGenerator[Event, None]:
        """Yield the events of an extraction: `Started` first, `Finished` or `Failed` last.

        Closing the iterator early stops all work on the document.

        Raises:
            DocumentError: the document cannot be opened; there was no event.
            InvalidOption: the options do not fit it; there was no event.
            OcrError: what the meter refuses it with; there was no event. Or what interrupts it.
        """
        meter = order.meter
        limit = self._limits.document_timeout_seconds
        # What nobody waits for may wait its turn for as long as it takes; its pages have limits.
        bound = limit if order.priority is Priority.INTERACTIVE else MAX_WAIT_SECONDS
        deadline = asyncio.get_running_loop().call_later(
            bound, order.interruption.end, _timed_out(limit)
        )
        self._running.add(order.interruption)
        try:
            with observed(self._metrics, order) as observer:
                async with self._events(order) as events:
                    async for event in events:
                        observer.event(event)
                        meter.delivered(event)
                        yield event
        except OcrError as error:
            await meter.settle(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            await meter.abandon()
            raise
        finally:
            deadline.cancel()
            self._running.discard(order.interruption)

    def _events(self, order: Order) -> AbstractAsyncContextManager[AsyncGenerator[Event, None]]:
        """Give the events of a reading, or those that were kept of an earlier one."""
        if self._cache is None or not order.owner:
            return aclosing(self._opened(order))
        return self._read_or_cached(order, self._cache)

    @asynccontextmanager
    async def _read_or_cached(
        self, order: Order, cache: ResultCache
    ) -> AsyncGenerator[AsyncGenerator[Event, None], None]:
        choice = self._engines.choose(order.options)
        async with cache.looked_up(order, choice) as found:
            if found.document:
                events = self._replayed(order, found.document, choice)
            else:
                events = self._opened(order)
                if found.recording:
                    events = found.recording.recorded(events)
            async with aclosing(events):
                yield events

    async def _replayed(
        self, order: Order, document: CachedDocument, choice: ChosenEngines
    ) -> AsyncGenerator[Event, None]:
        """Yield what was kept, as a call like any other: reserved, charged, and paced."""
        began = monotonic()
        pages = order.totals.without(select_pages(order.options.pages, document.page_count))
        started = started_of(document, order, pages, choice)
        await order.meter.reserve(started, pages)
        yield started
        at_once = min(REPLAYED_AT_ONCE, self._share)
        stream = metered_pages(document.page_events, lambda: at_once, pages, order, began)
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    async def _opened(self, order: Order) -> AsyncGenerator[Event, None]:
        began = monotonic()
        options = order.options
        with tracing.span("open document"):
            opened = await self._documents.open(
                order.document.path,
                name=order.file_name,
                password=options.password,
                caller=order.caller,
                # Twice: questions that an engine waits for go one before others of their document.
                priority=2 * order.priority,
            )
        try:
            choice = self._engines.choose(options)
            options.check_fits(opened.kind)
            check_fits(opened.kind, options, choice)
            pages = order.totals.without(select_pages(options.pages, opened.page_count))
            place = self._admission.queue(order.caller, order.priority, order.weight)
            try:
                ahead = place.ahead if options.mode is not Mode.TEXT_LAYER_ONLY else 0
                started = started_of(opened, order, pages, choice, queue_position=ahead)
                with tracing.span("reserve pages"):
                    await order.meter.reserve(started, pages)
                yield started
                context = PageContext(
                    document=opened,
                    size_bytes=order.document.size_bytes,
                    options=options,
                    choice=choice,
                    terms=self._terms(order, started.extraction_id),
                    rendering=self._images.of(choice),
                    place=place,
                )
                stream = metered_pages(
                    lambda number: PageReader(context, number).events(),
                    lambda: self._pages_at_once(choice),
                    pages,
                    order,
                    began,
                )
                async with aclosing(stream) as events:
                    async for event in events:
                        yield event
            finally:
                place.leave()
        finally:
            await opened.close()

    def _pages_at_once(self, choice: ChosenEngines) -> int:
        """Return how many pages of one document may be under way together at this moment."""
        return max(1, min(self._images.at_once(choice), self._share))

    @property
    def _share(self) -> int:
        return max(1, MOST_PAGES_UNDER_WAY // max(1, len(self._running)))

    def _terms(self, order: Order, extraction_id: str) -> ReadingTerms:
        options = order.options
        return ReadingTerms(
            options=ReadOptions(options.languages, options.words),
            prompt=options.prompt,
            text_format=options.text_format,
            caller=order.caller,
            priority=order.priority,
            weight=order.weight,
            extraction_id=extraction_id,
            timeout_seconds=self._limits.page_timeout_seconds,
        )


def _timed_out(limit_seconds: float) -> DocumentTimedOut:
    return DocumentTimedOut(
        f"Reading the document took longer than {limit_seconds:g} seconds. Split it, or ask for "
        "fewer pages.",
        limit=limit_seconds,
        setting="DOCUMENT_TIMEOUT_SECONDS",
    )
