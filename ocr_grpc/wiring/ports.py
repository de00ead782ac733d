"""Where a server listens: for gRPC, for its sidecars, for Prometheus."""

from collections.abc import Callable
from pathlib import Path

import grpc.aio
import structlog

from ocr_grpc.certificates import CertificateWatch
from ocr_grpc.rpc.tls import server_credentials
from ocr_grpc.settings import Settings, host_and_port
from ocr_grpc.telemetry.exposition import Exposition
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.sidecar import SOCKET_NAME

log = structlog.get_logger()


def bind(server: grpc.aio.Server, settings: Settings, certificates: CertificateWatch | None) -> int:
    """Listen for gRPC, by TLS if there is a certificate, and return the port.

    Raises:
        CannotServe: the port is taken.
    """
    address = host_and_port(settings.host, settings.grpc_port)
    try:
        if certificates:
            credentials = server_credentials(lambda: certificates.current)
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError:
        raise CannotServe(
            f"Cannot listen on {address}: is another server running there? "
            "GRPC_PORT and HOST choose another address."
        ) from None


def bind_sockets(server: grpc.aio.Server, settings: Settings, run_dir: Path) -> None:
    """Listen where sidecars come in; what they say of their callers is believed.

    Raises:
        CannotServe: SIDECAR_SOCKET cannot be made.
    """
    if settings.http_enabled:
        server.add_insecure_port(f"unix:{run_dir / SOCKET_NAME}")
    if others := settings.sidecar_socket:
        try:
            server.add_insecure_port(f"unix:{others.absolute()}")
            others.chmod(0o660)
        except (RuntimeError, OSError):
            raise CannotServe(
                f"Cannot listen on {others}: SIDECAR_SOCKET names a socket to be made in a folder "
                "that is there; its path has at most 100 bytes."
            ) from None


def serve_metrics(metrics: Exposition, settings: Settings, ailment: Callable[[], str]) -> int:
    """Serve the metrics and `/healthz`, and return the port.

    Args:
        metrics: what is told there.
        settings: where.
        ailment: says in a word why the process cannot work; see `Exposition.start_http`.

    Raises:
        CannotServe: the port is taken.
    """
    try:
        return metrics.start_http(settings.host, settings.metrics_port, ailment)
    except OSError as error:
        if "metrics_port" not in settings.model_fields_set:
            # Nobody chose it, so nobody minds another: a second server must start too.
            port = metrics.start_http(settings.host, 0, ailment)
            log.warning("metrics_port_taken", port=settings.metrics_port, instead=port)
            return port
        raise CannotServe(
            f"Cannot listen on {host_and_port(settings.host, settings.metrics_port)}: "
            f"{error.strerror}. METRICS_PORT chooses another port."
        ) from None
