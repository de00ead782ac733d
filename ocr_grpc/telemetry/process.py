"""What a process tells about itself, and its children with it: logs, reports of errors, traces."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ocr_grpc.telemetry import error_tracking, tracing
from ocr_grpc.telemetry.logs import configure_logs

ENGINE_WORKER = "engine_worker"


class ExtraMissing(Exception):
    """Traces are wanted, and what makes them is not installed; the message names the fix."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is told, and to whom; most fields are settings of the same names.

    Attributes:
        process: `serve`, `worker`, `engine`, or `engine_worker`, a process that these start.
        version: of the service.
        service_name: in traces; empty for one after the process.
    """

    process: str
    version: str
    log_format: str = "auto"
    log_level: str = "info"
    sentry_dsn: str = field(default="", repr=False)
    sentry_environment: str = "production"
    otlp_endpoint: str = ""
    service_name: str = ""
    sample_ratio: float = 1.0

    def to_child(self) -> bytes:
        """Return the same for an engine worker, to be read by `from_parent`."""
        return json.dumps(asdict(replace(self, process=ENGINE_WORKER))).encode()

    @classmethod
    def from_parent(cls, told: bytes) -> "Telemetry":
        """Return what the parent told; logs alone if it told nothing."""
        fields: dict[str, Any] = json.loads(told) if told else {}
        return cls(**fields) if fields else cls(ENGINE_WORKER, "")


_current: Telemetry | None = None


def told_to_children() -> bytes:
    """Return what processes that this one starts are to do; empty if nobody said anything here.

    They get it through a pipe and not in their environment, which others could read.
    """
    return _current.to_child() if _current else b""


@contextmanager
def telling(telemetry: Telemetry) -> Generator[None, None, None]:
    """Log, report errors and trace for as long as the block lasts; at its end, send what waits.

    Raises:
        ExtraMissing: traces need what is not installed.
    """
    global _current
    always = {"process": ENGINE_WORKER} if telemetry.process == ENGINE_WORKER else {}
    configure_logs(telemetry.log_format, telemetry.log_level, **always)
    tracer = _tracing(telemetry) if telemetry.otlp_endpoint else None
    tracing.switch(tracer)
    if telemetry.sentry_dsn:
        error_tracking.start(
            telemetry.sentry_dsn,
            telemetry.sentry_environment,
            telemetry.version,
            telemetry.process,
        )
    _current = telemetry
    try:
        yield
    finally:
        _current = None
        tracing.switch(None)
        if tracer:
            tracer.stop()
        error_tracking.stop()


def _tracing(telemetry: Telemetry) -> tracing.Tracing:
    try:
        # Here and not above: it takes a third of a second, and is not there for everybody.
        from ocr_grpc.telemetry.tracing_sdk import SdkTracing
    except ImportError:
        raise ExtraMissing(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, which need more: run "
            "`pip install 'ocr-grpc[traces]'`, or leave it empty."
        ) from None
    name = telemetry.service_name or f"ocr-grpc-{telemetry.process.partition('_')[0]}"
    return SdkTracing(telemetry.otlp_endpoint, telemetry.sample_ratio, name, telemetry.version)
