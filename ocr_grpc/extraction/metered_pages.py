"""What a reading and the replay of an earlier one share: how they begin, and charged pages."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from itertools import chain, islice
from time import monotonic

from ocr_grpc.documents.document import Document
from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.events import Event, Failed, PageFinished, Started
from ocr_grpc.extraction.meter import Meter
from ocr_grpc.extraction.options import Mode
from ocr_grpc.extraction.order import Order
from ocr_grpc.extraction.page_stream import merged
from ocr_grpc.extraction.traced import traced_page
from ocr_grpc.telemetry import tracing


def started_of(
    opened: Document | CachedDocument,
    order: Order,
    pages: list[range],
    choice: ChosenEngines,
    queue_position: int = 0,
) -> Started:
    """Return the first event of an extraction."""
    options = order.options
    reads_images = options.mode is not Mode.TEXT_LAYER_ONLY
    return Started(
        extraction_id=order.extraction_id or secrets.token_hex(12),
        kind=opened.kind,
        document_page_count=opened.page_count,
        page_count=sum(len(part) for part in pages),
        mode=options.mode,
        engine=choice.main if reads_images else None,
        queue_position=queue_position,
        size_bytes=order.document.size_bytes,
    )


async def metered_pages(
    read_page: Callable[[int], AsyncGenerator[Event, None]],
    pages_at_once: Callable[[], int],
    pages: list[range],
    order: Order,
    began: float,
) -> AsyncGenerator[Event, None]:
    """Yield the events of pages, each charged before it ends, and the last event of them all.

    Args:
        read_page: gives the events of a page, by its number.
        pages_at_once: says how many may be under way together; asked before each.
        pages: those to read, ascending.
        order: whose they are.
        began: when, by the monotonic clock, in seconds.
    """
    totals = order.totals
    stream = merged(
        islice(chain.from_iterable(pages), order.first_pages or None),
        # Charged here, where pages are read side by side: their charges share a commit.
        lambda number: _charged(traced_page(number, read_page(number)), order.meter),
        pages_at_once,
        order.interruption.future,
    )
    async with aclosing(stream) as events:
        async for event in events:
            if isinstance(event, PageFinished):
                totals.add(event)
            yield event
    last = totals.last_event(monotonic() - began)
    await order.meter.settle(last.error if isinstance(last, Failed) else None)
    yield last


async def _charged(
    events: AsyncGenerator[Event, None], meter: Meter
) -> AsyncGenerator[Event, None]:
    """Yield the events of a page, its last one when the charge is durable."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, PageFinished):
                with tracing.span("charge page"):  # in a transaction with those of other calls
                    await meter.charge(event)
            yield event
