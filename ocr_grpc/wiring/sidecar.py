"""Plans and starts the HTTP sidecar of a server."""

import asyncio
import errno
import socket
from dataclasses import replace
from pathlib import Path

import structlog

from ocr_grpc.certificates import CertificateWatch
from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.settings import Settings, host_and_port
from ocr_grpc.settings_http import listed
from ocr_grpc.sidecar.descriptors import descriptor_set
from ocr_grpc.sidecar.envoy import find_envoy
from ocr_grpc.sidecar.errors import SidecarFailed, SidecarUnavailable
from ocr_grpc.sidecar.http_log import HttpCall, PathTemplates
from ocr_grpc.sidecar.plan import HttpLimits, SidecarPlan, Tls
from ocr_grpc.sidecar.supervisor import Sidecar, SidecarFiles
from ocr_grpc.sidecar.tls import SecretFile, transport_socket
from ocr_grpc.sidecar.tracing import traces_plan
from ocr_grpc.sidecar.web_files import find_web_files
from ocr_grpc.telemetry.http_metrics import HttpMetrics
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.errors import CannotServe

log = structlog.get_logger()

SOCKET_NAME = "http.sock"
ADMIN_NAME = "admin.sock"
DESCRIPTORS_NAME = "descriptors.binpb"
SECRET_NAME = "certificate.json"  # noqa: S105 - the name of a file


def plan_sidecar(settings: Settings, folder: Path, upstreams: tuple[str, ...]) -> SidecarPlan:
    """Return what a sidecar with these settings is to do.

    Args:
        settings: those of the servers behind it.
        folder: where its files are.
        upstreams: the servers, see `SidecarPlan`.
    """
    return SidecarPlan(
        host=settings.host,
        port=settings.http_port,
        upstreams=upstreams,
        descriptors=folder / DESCRIPTORS_NAME,
        web_files=find_web_files(),
        limits=HttpLimits(
            settings.max_inline_bytes,
            settings.document_timeout_seconds,
            settings.http_memory_bytes,
            settings.max_http_connections,
        ),
        cors_origins=tuple(listed(settings.cors_origins)),
        trusted_hops=settings.trusted_hops,
        traces=traces_plan(settings.otel_exporter_otlp_endpoint, settings.traces_sample_ratio),
    )


def write_descriptors(folder: Path) -> None:
    """Write the file in which Envoy finds the services."""
    (folder / DESCRIPTORS_NAME).write_bytes(descriptor_set(SERVICES))


def choose_port(settings: Settings) -> int:
    """Return the port for HTTP, 0 for any; a taken one is told at once, and well.

    Raises:
        CannotServe: it is taken.
    """
    if not settings.http_enabled:
        return 0
    _check_port(settings.host, settings.http_redirect_port, "HTTP_REDIRECT_PORT")
    try:
        _check_port(settings.host, settings.http_port, "HTTP_PORT")
    except CannotServe:
        if "http_port" in settings.model_fields_set or settings.http_redirect_port:
            raise
        # Nobody chose it, so nobody minds another: a second server must start too.
        log.warning("http_port_taken", port=settings.http_port)
        return 0
    return settings.http_port


def _check_port(host: str, port: int, setting: str) -> None:
    if not port:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except socket.gaierror:
            return  # a name Envoy is left to judge
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                return
            raise CannotServe(
                f"Cannot listen on {host_and_port(host, port)}: {error.strerror}. "
                f"{setting} chooses another port; --no-http does without HTTP."
            ) from None


async def start_sidecar(
    settings: Settings,
    folder: Path,
    port: int,
    metrics: Metrics,
    metrics_port: int,
    certificates: CertificateWatch | None = None,
) -> Sidecar | None:
    """Start the sidecar of this server; None if there is to be none, or cannot be.

    Raises:
        CannotServe: it does not start.
    """
    if not settings.http_enabled:
        return None
    try:
        envoy = find_envoy(settings.envoy_binary)
    except SidecarUnavailable as missing:
        log.warning("no_http", reason=str(missing))
        return None
    await asyncio.to_thread(write_descriptors, folder)
    metrics_host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    plan = replace(
        plan_sidecar(settings, folder, (str(folder / SOCKET_NAME),)),
        port=port,
        admin_socket=folder / ADMIN_NAME,
        log_calls=True,
        metrics_upstream=host_and_port(metrics_host, metrics_port)
        if settings.metrics_on_http
        else "",
        tls=await _tls(settings, folder, certificates),
    )
    files = SidecarFiles(envoy, folder, settings.shutdown_grace_seconds)
    counts, templates = HttpMetrics(metrics.registry), PathTemplates(SERVICES, plan.web_files)

    def called(call: HttpCall) -> None:
        counts.called(call.method, templates.of(call.path), call.status, call.seconds)

    sidecar = Sidecar(plan, SERVICES, files, metrics.sidecar_changed, called, counts.active)
    try:
        await sidecar.start()
    except SidecarFailed as failure:
        raise CannotServe(f"{failure} --no-http does without HTTP.") from None
    return sidecar


async def _tls(
    settings: Settings, folder: Path, certificates: CertificateWatch | None
) -> Tls | None:
    """Put the certificate where Envoy finds it, now and whenever it changes."""
    if certificates is None:
        return None
    secret = SecretFile(folder / SECRET_NAME)
    await asyncio.to_thread(certificates.follow, secret.write)
    return Tls(transport_socket(str(secret.path)), settings.http_redirect_port)
