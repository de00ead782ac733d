"""Gauges and counters of engine workers, in whatever process they are started."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PAGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class EngineMetrics:
    """What the workers of a process are; `wiring/engine_gauges.py` sets it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""

        def gauge(name: str, sentence: str, label: str) -> Gauge:
            return Gauge(name, sentence, [label], registry=registry)

        self._registry = registry
        self._machines: Gauge | None = None
        self._machines_ready: Gauge | None = None
        self.ready = gauge(
            "ocr_engine_workers_ready", "Pages that an engine can read at once.", "engine"
        )
        self.workers = gauge(
            "ocr_engine_workers", "Engine workers there are to be on this machine.", "engine"
        )
        self.memory = gauge(
            "ocr_engine_worker_memory_bytes", "Resident memory of these together.", "engine"
        )
        self.restarts = Counter(
            "ocr_engine_worker_restarts",
            "Times that one of them ended, or did not come up, and was started again.",
            ["engine"],
            registry=registry,
        )

    def machines(self, endpoint: str, known: int, ready: int) -> None:
        """Note how many other machines an endpoint stands for, and how many of them read."""
        # Made when there are some: only a server with ENGINE_ENDPOINTS has a fleet.
        if self._machines is None or self._machines_ready is None:
            self._machines = Gauge(
                "ocr_engine_machines",
                "Engine machines that a name in ENGINE_ENDPOINTS stands for.",
                ["endpoint"],
                registry=self._registry,
            )
            self._machines_ready = Gauge(
                "ocr_engine_machines_ready",
                "Those of them that can read pages.",
                ["endpoint"],
                registry=self._registry,
            )
        self._machines.labels(endpoint).set(known)
        self._machines_ready.labels(endpoint).set(ready)


class MachineMetrics:
    """What an engine machine does for servers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        self.in_flight = Gauge(
            "ocr_engine_pages_in_flight", "Pages of servers that are here now.", registry=registry
        )
        self._pages = Counter(
            "ocr_engine_pages",
            "Pages that servers brought, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "ocr_engine_page_seconds",
            "Seconds from a page's admission to its last line, of those that were read.",
            buckets=PAGE_SECONDS,
            registry=registry,
        )

    def page_ended(self, outcome: str, seconds: float | None) -> None:
        """Count a page; `seconds` is what it took, None if it was not read to its end."""
        self._pages.labels(outcome).inc()
        if seconds is not None:
            self._seconds.observe(seconds)
