"""Wires `ocr-grpc engine`: engine workers of this machine for servers on others."""

import asyncio
import ipaddress
from contextlib import AsyncExitStack, suppress

import grpc
import grpc.aio
import structlog

from ocr_grpc.engines.machine_service import MachineServicer
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import add_EngineServiceServicer_to_server
from ocr_grpc.processes import allow_many_files
from ocr_grpc.rpc.grpc_server import NOT_SERVING, SERVING, HealthBoard
from ocr_grpc.rpc.interceptors.engine_token import EngineTokenInterceptor
from ocr_grpc.rpc.tls import server_credentials
from ocr_grpc.settings import Settings, host_and_port
from ocr_grpc.telemetry.engine_metrics import EngineMetrics, MachineMetrics
from ocr_grpc.telemetry.exposition import Exposition
from ocr_grpc.wiring.certificates import open_certificates
from ocr_grpc.wiring.engine_gauges import EngineGauges
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.folders import make_run_dir, make_spool
from ocr_grpc.wiring.ports import serve_metrics
from ocr_grpc.wiring.pulse import Pulse
from ocr_grpc.wiring.until_stopped import run_until_stopped
from ocr_grpc.wiring.workers import worker_settings

log = structlog.get_logger()

HARD_EXIT_SECONDS = 10.0
"""What stopping may take beyond the grace of running pages, before the process just ends."""

LEAVE_SECONDS = 0.5
"""How long a machine that leaves is there at least, so that every server hears of it."""

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["EngineService"].full_name

OPTIONS = [
    ("grpc.so_reuseport", 0),
    # Chunks of pixels have 1 MiB.
    ("grpc.max_receive_message_length", 2 * 2**20),
    # A server has a call for each page that it was admitted, and two more.
    ("grpc.max_concurrent_streams", 1024),
    # A server that vanished without a word is noticed within a minute, and its pages stop.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Servers ask whether we live every ten seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    # Who connects and asks nothing is let go: others need the place. Servers watch all the time.
    ("grpc.max_connection_idle_ms", 60_000),
    ("grpc.server_handshake_timeout_ms", 10_000),
]


class EngineMachine:
    """The service on one machine. `start`, then `stop`; or `run`, which does both."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings.

        Raises:
            CannotServe: they would let anybody in, or send pages in plain text unasked.
        """
        check_guard(settings)
        self._settings = settings
        self._stack = AsyncExitStack()
        self._board = HealthBoard((SERVICE_NAME,))
        self._health_changes: set[asyncio.Task[None]] = set()
        self._pulse = Pulse(lambda: "" if self._pool.ready_workers else "no_engine")
        self.port = 0
        self.metrics_port = 0

    @property
    def pool(self) -> EnginePool:
        """Return the workers."""
        return self._pool

    @property
    def pages(self) -> int:
        """Return how many pages are here now."""
        return self._servicer.board.load.admitted

    async def start(self) -> None:
        """Start the workers, and listen once there is one.

        Raises:
            CannotServe: the port is taken, the folder cannot be written, or a file not be used.
            EngineUnavailable: no worker became ready in time.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        settings = self._settings
        allow_many_files()
        spool = make_spool(settings.data_dir, self._stack)
        run_dir = make_run_dir(spool, self._stack)
        metrics = Exposition()
        self._stack.push_async_callback(metrics.close)
        counts = MachineMetrics(metrics.registry)
        credentials = await self._credentials(metrics)
        # Before the workers, which take seconds: a taken port is told at once.
        self.metrics_port = serve_metrics(metrics, settings, self._pulse.ailment)
        self._pool = EnginePool(
            worker_settings(settings, spool, run_dir), max(1, settings.worker_count)
        )
        self._servicer = MachineServicer(
            self._pool,
            spool.path,
            settings.page_timeout_seconds,
            on_page_ended=counts.page_ended,
        )
        counts.in_flight.set_function(lambda: self.pages)
        self._pool.on_ready_change = self._workers_changed
        self._stack.push_async_callback(self._pool.close)
        await self._pool.start()
        gauges = EngineGauges(EngineMetrics(metrics.registry), [self._pool])
        self._stack.push_async_callback(gauges.close)
        gauges.start()
        token = EngineTokenInterceptor(settings.engine_token.get_secret_value())
        self._server = grpc.aio.server(interceptors=[token], options=OPTIONS)
        self._stack.push_async_callback(self._server.stop, None)
        add_EngineServiceServicer_to_server(self._servicer, self._server)
        self._board.add_to(self._server)
        # Not before there is a worker: who connects to a port that nobody serves waits in vain.
        self.port = self._bind(credentials)
        await self._server.start()
        self._stack.push_async_callback(self._pulse.close)
        self._pulse.start()

    async def _credentials(self, metrics: Exposition) -> grpc.ServerCredentials | None:
        """Return what the port shows to servers, and asks of them; None for plain text."""
        settings = self._settings
        if not settings.engine_tls:
            return None
        certificates = await open_certificates(settings, metrics, self._stack)
        if certificates is None:
            return None
        return server_credentials(lambda: certificates.current, _client_authority(settings))

    def _bind(self, credentials: grpc.ServerCredentials | None) -> int:
        address = host_and_port(self._settings.engine_host, self._settings.engine_port)
        try:
            if credentials:
                return self._server.add_secure_port(address, credentials)
            return self._server.add_insecure_port(address)
        except RuntimeError:
            raise CannotServe(
                f"Cannot listen on {address}: is another one running there? "
                "ENGINE_PORT and ENGINE_HOST choose another address."
            ) from None

    async def run(self, on_ready: "asyncio.Future[None]") -> None:
        """Serve until SIGTERM or SIGINT, then let running pages end."""
        bound = self._settings.shutdown_grace_seconds + HARD_EXIT_SECONDS
        await run_until_stopped(self, bound, on_ready)

    async def stop(self) -> None:
        """Drain: servers are told that we leave, running pages may end, then everything closes."""
        log.info("stopping")
        self._pulse.leave()
        await self._board.leave()
        self._servicer.board.drain()
        # Servers that have not heard of it are refused meanwhile, and ask others.
        await asyncio.sleep(LEAVE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.shutdown_grace_seconds):
                await self._servicer.board.idle()
        if self.pages:
            log.warning("pages_cut", pages=self.pages)
        # Last words of pages that just ended are still on their way.
        await self._server.stop(grace=0.5)
        await self._stack.aclose()
        log.info("stopped")

    def _workers_changed(self, ready: int) -> None:
        self._servicer.board.resize(ready)
        change = asyncio.create_task(self._board.set(SERVING if ready else NOT_SERVING))
        self._health_changes.add(change)
        change.add_done_callback(self._health_changes.discard)


def check_guard(settings: Settings) -> None:
    """Refuse settings that leave the port open to anybody, or pages readable on their way.

    Raises:
        CannotServe: naming what to set.
    """
    has_tls = settings.engine_tls and settings.tls_cert_file is not None
    if settings.engine_ca_file and not has_tls:
        raise CannotServe(
            "ENGINE_CA_FILE asks servers for certificates, and these are shown over TLS alone: set "
            "TLS_CERT_FILE and TLS_KEY_FILE, and leave ENGINE_TLS at true."
        )
    if _is_loopback(settings.engine_host):
        return
    if not has_tls and settings.engine_tls:
        raise CannotServe(
            f"Pages would come to {settings.engine_host} in plain text: set TLS_CERT_FILE and "
            "TLS_KEY_FILE, or ENGINE_TLS=false on a private network."
        )
    if not settings.engine_token.get_secret_value() and not settings.engine_ca_file:
        raise CannotServe(
            f"Anybody could use the engine at {settings.engine_host}: set ENGINE_TOKEN here and on "
            "the server, or ENGINE_CA_FILE to the authority of the server's certificate."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _client_authority(settings: Settings) -> bytes | None:
    if settings.engine_ca_file is None:
        return None
    try:
        return settings.engine_ca_file.read_bytes()
    except OSError as error:
        raise CannotServe(f"ENGINE_CA_FILE: {settings.engine_ca_file}: {error.strerror}.") from None
