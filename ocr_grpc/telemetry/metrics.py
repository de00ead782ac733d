"""What Prometheus is told of a server."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge

from ocr_grpc.telemetry.exposition import Exposition, LateGauge

MAX_REASONS = 100
OTHER_REASON = "OTHER"

SANDBOX_KILLS = {
    "memory": "memory",
    "timed_out": "time",
    "forbidden": "seccomp",
    "crashed": "crashed",
}
"""Why readers end that a document has ended, as `Ending` names it, and as kills are labelled."""


class Metrics(Exposition):
    """All counters and gauges of a server. Raising one costs about a microsecond."""

    def __init__(self) -> None:
        super().__init__()
        self._reasons: set[str] = set()
        self.limits_local = self._gauge(
            "ocr_limits_local",
            "1 while a limiter counts for this server alone, because Redis does not answer.",
            "limiter",
        )
        self.limits_local_decisions = self._counter(
            "ocr_limits_local_decisions",
            "Calls a limiter decided by itself, because Redis did not answer.",
            "limiter",
        )
        self.refusals = self._counter("ocr_refusals", "Calls refused, by their reason.", "reason")
        self.quota_refusals = self._counter(
            "ocr_quota_refusals", "Documents refused because the month has too few pages left."
        )
        self.pages_charged = self._counter("ocr_pages_charged", "Pages charged.")
        self.ledger_up = LateGauge(
            self.registry, "ocr_ledger_up", "1 while the usage ledger can be written."
        )
        self.ledger_waiting_rows = self._gauge(
            "ocr_ledger_waiting_rows", "Rows that wait to be written to the usage ledger."
        )
        self.ledger_commits = self._counter(
            "ocr_ledger_commits", "Transactions of the usage ledger."
        )
        self.ledger_commit_failures = self._counter(
            "ocr_ledger_commit_failures", "Transactions of the usage ledger that failed."
        )
        self.ledger_lost_rows = self._counter(
            "ocr_ledger_lost_rows", "Rows given up: malformed, or of refusals while it was full."
        )
        self.reservations_swept = self._counter(
            "ocr_reservations_swept", "Extractions closed because their server was gone."
        )
        self.database_errors = self._counter(
            "ocr_database_errors", "Times the database did not answer background work."
        )
        self.batch_pages = self._counter("ocr_batch_pages", "Pages of batches that ended.")
        self.batch_commits = self._counter(
            "ocr_batch_commits", "Transactions of the task that writes pages of batches."
        )
        self.batch_chunks_running = self._gauge(
            "ocr_batch_chunks_running", "Chunks of batches that this process works on."
        )
        self.batch_retries = self._counter(
            "ocr_batch_retries", "Chunks put back because of an error that may pass.", "reason"
        )
        self.batch_crashes = self._counter(
            "ocr_batch_crashes", "Chunks taken up whose process had died, or was taken for dead."
        )
        self.batch_dead_letters = self._counter(
            "ocr_batch_dead_letters", "Chunks of batches that were given up."
        )
        self.sidecar_up = LateGauge(
            self.registry, "ocr_sidecar_up", "1 while the HTTP sidecar runs."
        )
        self.sidecar_ends = self._counter(
            "ocr_sidecar_ends", "Times the HTTP sidecar ended and was started again."
        )
        self.sandbox_layer = self._gauge(
            "ocr_sandbox_layer",
            "1 if a layer of the sandbox was in force in the document reader started last.",
            "family",
            "layer",
        )
        self.readers_started = self._counter(
            "ocr_readers_started", "Document reader processes that came up.", "family"
        )
        self.readers_ended = self._counter(
            "ocr_readers_ended",
            "Document reader processes that were replaced, by the cause: recycled and grew are "
            "upkeep, cancelled is callers' doing, all else is a document's.",
            "family",
            "reason",
        )
        self.sandbox_kills = self._counter(
            "ocr_sandbox_kills",
            "Document reader processes that a document has ended: it needed too much memory or "
            "time, made a forbidden system call (seccomp), or crashed its parser.",
            "family",
            "reason",
        )
        self.webhook_attempts = self._counter(
            "ocr_webhook_attempts", "Messages sent to webhooks, by what came of it.", "outcome"
        )

    def refused(self, reason: str) -> None:
        """Count a refused call. Past the first 100 reasons the rest are one label."""
        if reason not in self._reasons:
            if len(self._reasons) >= MAX_REASONS:
                reason = OTHER_REASON
            self._reasons.add(reason)
        self.refusals.labels(reason).inc()

    def sidecar_changed(self, up: bool) -> None:
        """Note that the HTTP sidecar came up, or ended by itself."""
        self.sidecar_up.set(up)
        if not up:
            self.sidecar_ends.inc()

    def reader_started(self, family: str, layers: Mapping[str, bool]) -> None:
        """Note a document reader that came up, and which layers of its sandbox are in force."""
        self.readers_started.labels(family).inc()
        for kill in SANDBOX_KILLS.values():
            self.sandbox_kills.labels(family, kill)  # from 0 on, else the first would be no rise
        for layer, in_force in layers.items():
            self.sandbox_layer.labels(family, layer).set(in_force)

    def reader_ended(self, family: str, reason: str) -> None:
        """Note a document reader that is over, and why."""
        self.readers_ended.labels(family, reason).inc()
        if kill := SANDBOX_KILLS.get(reason):
            self.sandbox_kills.labels(family, kill).inc()

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(name, sentence, labels, registry=self.registry)

    def _gauge(self, name: str, sentence: str, *labels: str) -> Gauge:
        return Gauge(name, sentence, labels, registry=self.registry)
