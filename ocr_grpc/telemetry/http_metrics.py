"""Counts calls over HTTP, under names that users of earlier services know."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class HttpMetrics:
    """The counters of one sidecar. Paths are templates, so labels are bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        self._in_flight = Gauge(
            "http_in_flight_requests",
            "HTTP and gRPC calls under way at the sidecar; at most two seconds old.",
            registry=registry,
        )
        labels = ["method", "path"]
        self._requests = Counter(
            "http_requests",
            "Calls over HTTP that ended; status 0: the client left before the answer.",
            [*labels, "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds from the first byte of a call over HTTP to the last of its answer.",
            labels,
            buckets=SECONDS,
            registry=registry,
        )

    def called(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a call that is over."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def active(self, count: int) -> None:
        """Note how many calls are under way."""
        self._in_flight.set(count)
