"""Gauges of what a server holds at a moment."""

from prometheus_client import CollectorRegistry, Gauge


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
        self.engine_ready = gauge(
            "ocr_engine_workers_ready", "Pages that an engine can read at once.", "engine"
        )
        self.connections = gauge(
            "ocr_database_connections_in_use", "Connections to the database in use."
        )
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
