"""What Prometheus is told of the job that removes what is over."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge


class RetentionMetrics:
    """The metrics of one server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        self._removed = Counter(
            "ocr_retention_removed",
            "What was removed because its time was over, or its owner was deleted.",
            ("kind",),
            registry=registry,
        )
        self._success = Gauge(
            "ocr_retention_last_success_timestamp_seconds",
            "When the job last came to its end, at whatever server, in seconds since 1970.",
            registry=registry,
        )

    def expect(self, kinds: Iterable[str]) -> None:
        """Show kinds of which nothing was removed yet."""
        for kind in kinds:
            self._removed.labels(kind)

    def removed(self, count: Mapping[str, int]) -> None:
        """Count what was removed."""
        for kind, number in count.items():
            if number > 0:
                self._removed.labels(kind).inc(number)

    def succeeded(self, at: float) -> None:
        """Note when the job last came to its end."""
        self._success.set(at)
