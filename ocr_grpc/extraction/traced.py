"""Traces the pages of an extraction."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ocr_grpc.extraction.events import Event, PageFinished, PageOutcome
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.tracing import Span


def traced_page(
    page_number: int, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Event, None]:
    """Return the events of a page, which is a span from the first to the last of them."""
    return _traced(page_number, events) if tracing.is_on() else events


async def _traced(
    page_number: int, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Event, None]:
    with tracing.span("page", {"ocr.page_number": page_number}) as span:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, PageFinished):
                    _tell(span, event)
                yield event


def _tell(span: Span, event: PageFinished) -> None:
    how = event.provenance
    span.set({"ocr.outcome": event.outcome.value, "ocr.attempts": how.attempts})
    if how.source:
        span.set({"ocr.source": how.source.value})
    if how.engine:
        span.set({"ocr.engine": how.engine.name})
    if event.outcome is PageOutcome.FAILED:
        span.failed(event.error.reason if event.error else event.outcome.value)
