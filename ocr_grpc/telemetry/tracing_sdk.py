"""Makes spans with OpenTelemetry and sends them to a collector, in batches and from a thread."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ocr_grpc.errors import OcrError
from ocr_grpc.telemetry.tracing import Attributes, Kind, Span

if TYPE_CHECKING:  # engine workers need no database
    from sqlalchemy import Engine

EXPORT_SECONDS = 5
DELAY_MILLISECONDS = 1_000
"""What a span waits for others to leave with; a worker that is killed takes these with it."""

MAX_WAITING_SPANS = 4_096
"""While the collector is away; more are dropped."""

STOP_SECONDS = 2.0

KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
}


class SdkTracing:
    """The one `Tracing` there is."""

    def __init__(self, endpoint: str, ratio: float, service_name: str, version: str) -> None:
        """Begin to send. The arguments are settings; see there."""
        exporter = OTLPSpanExporter(
            endpoint=endpoint, insecure=endpoint.startswith("http://"), timeout=EXPORT_SECONDS
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            # Nothing of the environment, the host or the command line.
            resource=Resource({"service.name": service_name, "service.version": version}),
            span_limits=SpanLimits(max_attributes=64, max_attribute_length=1_000),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=MAX_WAITING_SPANS,
                schedule_delay_millis=DELAY_MILLISECONDS,
            )
        )
        self._tracer = self._provider.get_tracer("ocr_grpc", version)
        self._propagator = TraceContextTextMapPropagator()

    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        parent: Sequence[tuple[str, str]] | None,
        reports: bool,
    ) -> AbstractContextManager[Span]:
        """See `tracing.span` and `tracing.span_of`."""
        around = context.get_current()
        if parent is not None:
            around = trace.set_span_in_context(trace.INVALID_SPAN, around)
            around = self._propagator.extract(dict(parent), around)
        span = partial(self._tracer.start_span, name, around, KINDS[kind], dict(attributes))
        return _Traced(span, around, reports)

    def carrier(self) -> tuple[tuple[str, str], ...]:
        """See `tracing.carrier`."""
        found: dict[str, str] = {}
        self._propagator.inject(found)
        return tuple(found.items())

    def watch_database(self, engine: "Engine") -> None:
        """See `tracing.watch_database`."""
        from ocr_grpc.telemetry.tracing_database import StatementSpans

        StatementSpans(self._tracer, engine)

    def stop(self) -> None:
        """Send what waits, for `STOP_SECONDS` at most."""
        # Its own bound is half a minute, while the collector is away.
        stopping = Thread(target=self._provider.shutdown, daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)


class _Traced:
    """A span, current from `with` on.

    Made current without a token to reset by: the end may run in another task, where what was
    current before is none of our business.
    """

    __slots__ = ("_around", "_before", "_begin", "_reports", "_span")

    def __init__(
        self, begin: Callable[[], trace.Span], around: context.Context, reports: bool
    ) -> None:
        self._begin = begin
        self._around = around
        self._reports = reports

    def __enter__(self) -> Span:
        self._before = context.get_current()
        self._span = self._begin()
        context.attach(trace.set_span_in_context(self._span, self._around))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._span.set_attribute("ocr.cancelled", True)
        elif error is not None and self._reports:
            self.failed(error.reason if isinstance(error, OcrError) else type(error).__name__)
        self._span.end()
        if trace.get_current_span() is self._span:
            context.attach(self._before)

    def set(self, attributes: Attributes) -> None:
        """See `Span`."""
        self._span.set_attributes(dict(attributes))

    def failed(self, reason: str) -> None:
        """See `Span`."""
        self._span.set_status(trace.StatusCode.ERROR)
        self._span.set_attribute("error.type", reason)

    @property
    def trace_id(self) -> str:
        """See `Span`."""
        found = self._span.get_span_context()
        return trace.format_trace_id(found.trace_id) if found.trace_flags.sampled else ""
