"""Counts calls under the names that every gRPC server of the Prometheus world gives them."""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
"""Seconds: a call of an account takes milliseconds, one that reads a book half an hour."""

LABELS = ("grpc_type", "grpc_service", "grpc_method")

EXPECTED = ("OK", "INTERNAL", "UNAVAILABLE")
"""The statuses that a method has a counter of before it has ended so: success, and the failures
that alerts are about. All of them for all methods would be a thousand series more."""


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC as it is labelled."""

    path: str
    """Such as `/ocr_grpc.v1.OcrService/Extract`."""
    kind: str
    """`unary`, `client_stream`, `server_stream` or `bidi_stream`."""

    @property
    def labels(self) -> tuple[str, str, str]:
        """Return the values of `LABELS`."""
        service, _, name = self.path.removeprefix("/").rpartition("/")
        return self.kind, service, name


class CallMetrics:
    """The counters of one server. Only methods it has are ever labels, so these are bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        self._started = Counter(
            "grpc_server_started", "RPCs that began.", LABELS, registry=registry
        )
        self._handled = Counter(
            "grpc_server_handled",
            "RPCs that ended, by their status.",
            (*LABELS, "grpc_code"),
            registry=registry,
        )
        self._received = Counter(
            "grpc_server_msg_received", "Messages that callers sent.", LABELS, registry=registry
        )
        self._sent = Counter(
            "grpc_server_msg_sent", "Messages sent to callers.", LABELS, registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds from the beginning of an RPC to its end.",
            LABELS,
            buckets=BUCKETS,
            registry=registry,
        )

    def expect(self, methods: Iterable[Method]) -> None:
        """Begin to count methods at 0: a counter that is told of from 1 on has no first rise."""
        for method in methods:
            self._started.labels(*method.labels)
            for status in EXPECTED:
                self._handled.labels(*method.labels, _go_name(status))

    def began(self, method: Method) -> None:
        """Count an RPC that begins."""
        self._started.labels(*method.labels).inc()

    def ended(
        self,
        method: Method,
        status: str,
        seconds: float,
        received: int,
        sent: int,
        exemplar: dict[str, str] | None = None,
    ) -> None:
        """Count an RPC that is over.

        Args:
            method: which one.
            status: the name of its code, such as `INVALID_ARGUMENT`.
            seconds: how long it took.
            received: the messages that came from the caller.
            sent: those that went to it.
            exemplar: leads from the time it took to its trace.
        """
        labels = method.labels
        self._handled.labels(*labels, _go_name(status)).inc()
        self._received.labels(*labels).inc(received)
        self._sent.labels(*labels).inc(sent)
        self._seconds.labels(*labels).observe(seconds, exemplar)


def _go_name(status: str) -> str:
    """Return a code as other languages' metrics write it: `OK`, `InvalidArgument`, `Canceled`."""
    if status in ("OK", "CANCELLED"):
        return {"OK": "OK", "CANCELLED": "Canceled"}[status]
    return status.title().replace("_", "")
