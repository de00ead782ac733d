"""Counts calls of the server of the vision-language model."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

FIRST_TOKEN_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

THE_ENDPOINT = "1"
"""Endpoints are numbered: their addresses may hold what nobody should read."""


class VisionMetrics:
    """The counters of one model's server; made only where there is one."""

    def __init__(self, registry: CollectorRegistry, outcomes: Iterable[str]) -> None:
        """Register them; `outcomes` are all that a call may have."""
        self._breaker = Gauge(
            "ocr_vlm_breaker_open",
            "1 while the model's server is left alone because it failed again and again.",
            ["endpoint_number"],
            registry=registry,
        ).labels(THE_ENDPOINT)
        requests = Counter(
            "ocr_vlm_requests",
            "Calls of the model's server, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._requests = {outcome: requests.labels(outcome) for outcome in outcomes}
        self._first_token = Histogram(
            "ocr_vlm_first_token_seconds",
            "Seconds from a call to the first text of the model.",
            buckets=FIRST_TOKEN_SECONDS,
            registry=registry,
        )

    def called(self, outcome: str) -> None:
        """Count a call that is over."""
        self._requests[outcome].inc()

    def first_token(self, seconds: float) -> None:
        """Note how long the first text of a call took."""
        self._first_token.observe(seconds)

    def breaker(self, is_open: bool) -> None:
        """Note that the circuit breaker opened or closed."""
        self._breaker.set(is_open)
