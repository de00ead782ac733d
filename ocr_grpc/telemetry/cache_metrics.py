"""Counts what the cache of results is good for."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

OUTCOMES = ("hit", "miss", "refused")


class CacheMetrics:
    """The metrics of one cache; made only where there is one."""

    def __init__(self, registry: CollectorRegistry, used_bytes: Callable[[], float]) -> None:
        """Register them; `used_bytes` is asked at each scrape, from another thread."""
        lookups = Counter(
            "ocr_result_cache_lookups",
            "Documents that were looked up; `refused`: the caller wanted them read anew.",
            ["outcome"],
            registry=registry,
        )
        self._lookups = {outcome: lookups.labels(outcome) for outcome in OUTCOMES}
        Gauge(
            "ocr_result_cache_bytes",
            "Bytes of results that are kept; in Redis, as this server last saw it.",
            registry=registry,
        ).set_function(used_bytes)

    def looked_up(self, outcome: str) -> None:
        """Count a document."""
        self._lookups[outcome].inc()
