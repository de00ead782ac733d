"""Wires everything: the only file that knows every area."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from ocr_grpc.accounts.owners import Owners
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.rpc.access import declared_access
from ocr_grpc.rpc.capabilities import OcrLimits, Offer
from ocr_grpc.rpc.grpc_server import NOT_SERVING, SERVING, HealthBoard, make_server, server_options
from ocr_grpc.rpc.intake import Intake
from ocr_grpc.rpc.ocr import OcrServicerImpl
from ocr_grpc.rpc.resume import KeptStreams
from ocr_grpc.settings import Settings
from ocr_grpc.sidecar.supervisor import Sidecar
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.state_metrics import StateMetrics
from ocr_grpc.v1.ocr_service_pb2_grpc import add_OcrServiceServicer_to_server
from ocr_grpc.wiring.accounts import open_accounts, role_limits
from ocr_grpc.wiring.batch_services import add_batch_service, add_webhooks_service
from ocr_grpc.wiring.batches import make_batches, open_kept
from ocr_grpc.wiring.certificates import open_certificates
from ocr_grpc.wiring.compatibility import add_compatibility_service, make_fetcher
from ocr_grpc.wiring.database import open_database
from ocr_grpc.wiring.folders import make_run_dir, make_spool
from ocr_grpc.wiring.gauges import Gauges
from ocr_grpc.wiring.health import ServerHealth
from ocr_grpc.wiring.metering import open_metering
from ocr_grpc.wiring.ports import bind, bind_sockets, serve_metrics
from ocr_grpc.wiring.reading import limits_for, open_reading
from ocr_grpc.wiring.resumption import open_resumption
from ocr_grpc.wiring.services import add_account_services, make_interceptors
from ocr_grpc.wiring.sidecar import choose_port, start_sidecar
from ocr_grpc.wiring.until_stopped import run_until_stopped

if TYPE_CHECKING:  # PgQueuer comes with it, a quarter of a second for servers that need none
    from ocr_grpc.wiring.batch_work import BatchWork

log = structlog.get_logger()

HARD_EXIT_SECONDS = 15.0
"""What stopping may take beyond the grace of running calls, before the process just ends."""

LAST_WORDS_SECONDS = 1.0
"""How long before the end of the grace running streams are ended with a reason."""


class Server:
    """The service on one machine. `start`, then `stop`; or `run`, which does both."""

    def __init__(self, settings: Settings, fetcher: Fetcher | None = None) -> None:
        """Take the settings, and what fetches documents by URL if not as they say."""
        self._settings = settings
        self._fetcher = fetcher
        self._stack = AsyncExitStack()
        self._board = HealthBoard()
        self._health_changes: set[asyncio.Task[None]] = set()
        self._sidecar: Sidecar | None = None
        self._work: BatchWork | None = None
        self._stopping = False
        self.port = 0
        self.http_port = 0
        """Where HTTP is; 0 if it is off."""
        self.metrics_port = 0
        self.password_path: Path | None = None
        """Where the first administrator's password is, if one was made up at this start."""

    @property
    def engine(self) -> EnginePool:
        """Return the engine workers, for tests that kill them."""
        return self._engine

    async def start(self) -> None:
        """Start the workers, then listen.

        Raises:
            CannotServe: the port is taken, the folder cannot be written, or no worker starts.
            EngineUnavailable: no worker became ready in time.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        settings = self._settings
        fetcher = self._fetcher or make_fetcher(settings)
        # Not in a thread: if this start is cancelled meanwhile, nobody would remove the folder.
        spool = make_spool(settings.data_dir, self._stack)
        metrics = Metrics()
        self._stack.push_async_callback(metrics.close)
        certificates = await open_certificates(settings, metrics, self._stack)
        database = await open_database(settings, self._stack)
        metering = await open_metering(settings, database, metrics, self._stack)
        accounts = await open_accounts(settings, database, metering.windows, self._stack)
        metering.lease.add_sweep(accounts.sessions.sweep)
        kept = await open_kept(settings, database, fetcher, self._stack)
        self.password_path = accounts.password_path
        self._grpc = make_server(
            make_interceptors(metering, accounts, declared_access(), settings.trusted_networks),
            server_options(settings.max_inline_bytes, settings.max_connection_age_seconds),
            self._board,
        )
        # Otherwise one that never began to serve complains when it is collected.
        self._stack.push_async_callback(self._grpc.stop, None)
        # Before the workers, which take seconds: a taken port is told at once.
        self.port = bind(self._grpc, settings, certificates)
        http_port = choose_port(settings)
        run_dir = make_run_dir(spool, self._stack)
        bind_sockets(self._grpc, settings, run_dir)
        self.metrics_port = serve_metrics(metrics, settings)
        reading = await open_reading(settings, spool, run_dir, metrics, self._stack)
        self._engine, self._extractor = reading.engine, reading.extractor
        engines = reading.engines
        intake = Intake(self._extractor, spool, metering.ledger, metering.streams)
        limits = limits_for(OcrLimits, settings)
        offer = Offer(role_limits(settings), settings.registration, settings.auth_enabled)
        resumption = await open_resumption(
            settings, database, kept.blobs, kept.seal, metering.lease, self._stack
        )
        streams = KeptStreams(resumption, intake, engines.ready_workers_of)
        servicer = OcrServicerImpl(intake, engines, version("ocr-grpc"), limits, offer, streams)
        add_OcrServiceServicer_to_server(servicer, self._grpc)
        add_compatibility_service(self._grpc, intake, fetcher, engines, limits)
        batches = make_batches(settings, kept, self._extractor)
        self._watching = batches.watching
        add_batch_service(self._grpc, kept, batches, self._extractor, intake, limits)
        await add_webhooks_service(self._grpc, settings, kept, metering.lease, metrics, self._stack)
        health = ServerHealth(
            database,
            metering.windows,
            metering.ledger,
            settings.data_dir,
            kept.blobs,
            lambda: self._engine.ready_workers,
            accounts.mailer.configured,
            lambda: self._sidecar.is_up if self._sidecar else None,
            lambda: reading.vision.ready_workers > 0 if reading.vision else None,
        )
        add_account_services(self._grpc, settings, accounts, metering, health, batches.dead_letters)
        if settings.batches_in_serve:
            from ocr_grpc.wiring.batch_work import BatchWork, any_engine_ready

            owners = Owners(database, role_limits(settings), accounts.everybody)
            ready = partial(any_engine_ready, engines)
            self._work = BatchWork(settings, kept, self._extractor, owners, spool, metrics, ready)
            self._stack.push_async_callback(self._work.stop)
            await self._work.start()
        gauges = Gauges(StateMetrics(metrics.registry), database, reading, settings.data_dir)
        self._stack.push_async_callback(gauges.close)
        gauges.start()
        await self._grpc.start()
        for pool in reading.line_engines:
            pool.on_ready_change = lambda _: self._extractor.resize()
        self._extractor.resize()
        self._engine.on_ready_change = self._engine_changed
        await self._board.set(SERVING)
        sidecar = self._sidecar = await start_sidecar(
            settings, run_dir, http_port, metrics, self.metrics_port, certificates
        )
        if sidecar:
            self._stack.push_async_callback(sidecar.close)
            self.http_port = sidecar.port

    async def run(self, on_ready: "asyncio.Future[None] | None" = None) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        settings = self._settings
        bound = settings.shutdown_delay_seconds + settings.shutdown_grace_seconds
        await run_until_stopped(self, bound + HARD_EXIT_SECONDS, on_ready)

    async def stop(self) -> None:
        """Drain: no new calls, running ones may end, then everything is closed."""
        self._stopping = True
        log.info("stopping")
        await self._board.leave()
        await asyncio.sleep(self._settings.shutdown_delay_seconds)
        if self._sidecar:
            await self._sidecar.drain()
        if self._work:
            await self._work.stop()  # others go on with it at once
        grace_seconds = self._settings.shutdown_grace_seconds
        # Before grpc cuts them, streams end themselves, with a last event that says why.
        interruption = asyncio.get_running_loop().call_later(
            max(0.0, grace_seconds - LAST_WORDS_SECONDS), self._extractor.interrupt
        )
        self._watching.interrupt()  # nothing is lost with them, and they would last to the end
        await self._grpc.stop(grace_seconds)
        interruption.cancel()
        if self._sidecar:
            await self._sidecar.stop()
        await self._stack.aclose()
        log.info("stopped")

    def _engine_changed(self, ready_workers: int) -> None:
        """Tell probes the truth: without a worker no image can be read."""
        self._extractor.resize()
        if not self._stopping:
            change = asyncio.create_task(self._board.set(SERVING if ready_workers else NOT_SERVING))
            self._health_changes.add(change)
            change.add_done_callback(self._health_changes.discard)
