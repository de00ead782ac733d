"""Has Envoy begin, or go on with, the trace of each call, and tell a collector of its own part."""

from pathlib import Path
from urllib.parse import urlsplit

from ocr_grpc.sidecar.plan import JsonObject, TracesPlan, typed

TRACES_CLUSTER = "traces"
SERVICE_NAME = "ocr-grpc-envoy"
TRACER = "envoy.tracers.opentelemetry"

AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, and Envoy's own image
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/ssl/cert.pem",  # macOS
)


def traces_plan(endpoint: str, ratio: float) -> TracesPlan | None:
    """Return where traces go; None if nowhere. The arguments are settings, checked there."""
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    authorities = _authorities() if parts.scheme == "https" else ""
    return TracesPlan(parts.hostname or "", parts.port or 4317, authorities, ratio)


def _authorities() -> str:
    """Return where the certificates are that the system trusts; Envoy wants to be told."""
    there = (name for name in AUTHORITIES if Path(name).exists())
    return next(there, AUTHORITIES[0])


def tracing_config(traces: TracesPlan) -> JsonObject:
    """Return how Envoy traces."""
    tracer = typed(
        "envoy.config.trace.v3.OpenTelemetryConfig",
        grpc_service={"envoy_grpc": {"cluster_name": TRACES_CLUSTER}, "timeout": "5s"},
        service_name=SERVICE_NAME,
    )
    return {
        "provider": {"name": TRACER, "typed_config": tracer},
        "random_sampling": {"value": 100 * traces.ratio},
        # No address: over REST its query may hold the password of a document.
        "max_path_tag_length": 0,
    }
