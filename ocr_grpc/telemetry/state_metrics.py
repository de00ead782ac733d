"""Gauges of what a server holds at a moment."""

from prometheus_client import CollectorRegistry, Gauge, Histogram

from ocr_grpc.telemetry.exposition import LateGauge

WAIT_SECONDS = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10)


class StateMetrics:
    """The gauges of one server; `wiring/gauges.py` sets them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""

        def gauge(name: str, sentence: str, *labels: str) -> Gauge:
            return Gauge(name, sentence, labels, registry=registry)

        self.users = gauge("users_total", "Users there are; the same at every server.")
        self.queue = gauge("ocr_queue_documents", "Opened documents that have not begun.")
        self.readers_busy = gauge("ocr_readers_busy", "Document readers at work.")
        self.readers_waiting = gauge(
            "ocr_readers_waiting", "Documents and pages that wait for a reader."
        )
        self.connections = gauge(
            "ocr_database_connections_in_use", "Connections to the database in use."
        )
        self.connections_limit = gauge(
            "ocr_database_connections_limit", "Connections to the database there may be at most."
        )
        self.connection_wait = Histogram(
            "ocr_database_wait_seconds",
            "Seconds until a connection to the database was there: free, or made, and alive.",
            buckets=WAIT_SECONDS,
            registry=registry,
        )
        self.redis_up = LateGauge(registry, "ocr_redis_up", "1 while Redis answers.")
        self.lag = gauge(
            "ocr_event_loop_lag_seconds", "How late the last timer of the event loop was."
        )
        self.disk_free = gauge("ocr_disk_free_bytes", "Bytes free where DATA_DIR is.")
        self.chunks_waiting = gauge(
            "ocr_batch_chunks_waiting", "Chunks of batches to be read; the same at every server."
        )
        self.batch_age = gauge(
            "ocr_batch_age_seconds", "Age of the oldest batch under way; likewise."
        )
