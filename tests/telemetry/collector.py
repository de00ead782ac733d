"""A collector of traces, as Jaeger or Tempo has one, that keeps what it is sent."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Sent:
    """One span."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    sampled: bool
    failed: bool
    about: dict[str, object]


class Collector(TraceServiceServicer):
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: list[Sent] = []
        self.raw = b""
        self.url = ""
        self._news = threading.Condition()

    def Export(self, request: pb.ExportTraceServiceRequest, context) -> object:  # noqa: N802
        spans = [
            _sent(str(_values(resource.resource.attributes)["service.name"]), span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._news:
            self.spans += spans
            self.raw += request.SerializeToString()
            self._news.notify_all()
        return pb.ExportTraceServiceResponse()

    def trace(self, trace_id: str) -> list[Sent]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def wait_for(self, enough: Callable[[], object]) -> None:
        """Wait until enough has come; fail with what has."""
        with self._news:
            came = self._news.wait_for(enough, WAIT_SECONDS)
        assert came, [(span.service, span.name, span.trace_id) for span in self.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector in threads of its own, as tests that wait for processes block their loop."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.url = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        server.stop(None).wait()


def _sent(service: str, span) -> Sent:
    return Sent(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        bool(span.flags & 1),
        span.status.code == 2,
        _values(span.attributes),
    )


def _values(attributes) -> dict[str, object]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }
