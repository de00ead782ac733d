"""Tells metrics, log and trace what becomes of an extraction."""

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter
from typing import cast

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.page_read import Priority
from ocr_grpc.extraction.events import Delta, Event, PageFinished, PageStarted, Started
from ocr_grpc.extraction.order import Order
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.call_record import call_facts
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from ocr_grpc.telemetry.tracing import Span, exemplar

UNKNOWN = "unknown"

IMAGES = {
    DocumentKind.PNG,
    DocumentKind.JPEG,
    DocumentKind.WEBP,
    DocumentKind.TIFF,
    DocumentKind.BMP,
    DocumentKind.GIF,
    DocumentKind.HEIC,
    DocumentKind.AVIF,
    DocumentKind.JPEG_2000,
}


class Observed:
    """Looks at the events of one extraction as they pass."""

    def __init__(self, metrics: DocumentMetrics, order: Order, span: Span) -> None:
        self._metrics = metrics
        self._span = span
        self._exemplar = exemplar(span.trace_id)
        self._facts = call_facts()
        self._pages = 0
        self._is_call = order.priority is Priority.INTERACTIVE
        self._began = perf_counter()
        self._opened_after = 0.0
        self._kind = UNKNOWN
        self._waits_for_page = self._waits_for_text = True

    def event(self, event: Event) -> None:
        """Look at an event."""
        match event:
            case Started():
                self._started(event)
            case PageStarted() if self._waits_for_page:
                self._waits_for_page = False
                waited = self._seconds() - self._opened_after
                self._metrics.wait_seconds.observe(waited)
                self._facts["queue_ms"] = round(waited * 1000, 1)
            case Delta() if self._waits_for_text:
                self._waits_for_text = False
                first_text = self._metrics.first_text_seconds.labels(self._kind)
                first_text.observe(self._seconds(), self._exemplar)
            case PageFinished():
                self._page_finished(event)
            case _:
                pass

    def close(self) -> None:
        """Note that the extraction is over, however it ended."""
        if self._kind != UNKNOWN:
            self._metrics.in_progress.labels(self._kind).dec()
        elif self._is_call:
            self._metrics.requests.labels(UNKNOWN).inc()
        if self._is_call:
            self._metrics.seconds.labels(self._kind).observe(self._seconds(), self._exemplar)
        # A call may bring several documents.
        self._facts["pages"] = self._pages + cast("int", self._facts.get("pages", 0))
        self._span.set({"ocr.pages": self._pages})

    def _seconds(self) -> float:
        return perf_counter() - self._began

    def _started(self, event: Started) -> None:
        self._opened_after = self._seconds()
        self._kind = event.kind.value
        self._facts["kind"] = self._kind
        self._span.set({"ocr.kind": self._kind, "ocr.size_bytes": event.size_bytes})
        self._metrics.in_progress.labels(self._kind).inc()
        if not self._is_call:
            return  # a document of a batch is opened for each of its chunks
        self._metrics.requests.labels(self._kind).inc()
        self._metrics.input_bytes.labels(self._kind).inc(event.size_bytes)
        if event.kind in IMAGES:
            self._metrics.images.inc()
        elif event.kind is DocumentKind.PDF:
            self._metrics.pdfs.inc()

    def _page_finished(self, event: PageFinished) -> None:
        self._pages += 1
        engine = event.provenance.engine
        work = "call" if self._is_call else "batch"
        labels = (event.outcome.value, engine.name if engine else "", work)
        self._metrics.pages.labels(*labels).inc()
        self._metrics.spent(event.usage.prompt_tokens, event.usage.completion_tokens)


@contextmanager
def observed(metrics: DocumentMetrics, order: Order) -> Generator[Observed, None, None]:
    """Observe an extraction for as long as the block lasts."""
    with tracing.span("document") as span:
        watch = Observed(metrics, order, span)
        try:
            yield watch
        finally:
            watch.close()
