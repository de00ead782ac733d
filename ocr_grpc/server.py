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
from ocr_grpc.v1.ocr_service_pb2_grpc import add_OcrServiceServicer_to_server
from ocr_grpc.wiring.accounts import role_limits
from ocr_grpc.wiring.batch_services import add_batch_service, add_webhooks_service
from ocr_grpc.wiring.batches import make_batches
from ocr_grpc.wiring.caching import open_cache
from ocr_grpc.wiring.compatibility import add_compatibility_service, make_fetcher
from ocr_grpc.wiring.folders import make_run_dir
from ocr_grpc.wiring.foundation import Foundation, open_foundation
from ocr_grpc.wiring.gauges import Gauges
from ocr_grpc.wiring.health import ServerHealth
from ocr_grpc.wiring.ports import bind, bind_sockets, serve_metrics
from ocr_grpc.wiring.pulse import Pulse
from ocr_grpc.wiring.reading import Reading, limits_for, open_reading
from ocr_grpc.wiring.resumption import open_resumption
from ocr_grpc.wiring.retention import open_retention
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
        self._pulse = Pulse(lambda: "" if self._engine.ready_workers else "no_engine")
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
        settings, stack = self._settings, self._stack
        fetcher = self._fetcher or make_fetcher(settings)
        base = await open_foundation(settings, fetcher, stack)
        self.password_path = base.accounts.password_path
        http_port, run_dir = self._listen(base)
        cache = open_cache(settings, base.kept.seal, base.accounts.changes, base.metrics, stack)
        reading = await open_reading(settings, base.spool, run_dir, base.metrics, stack, cache)
        self._engine, self._extractor = reading.engine, reading.extractor
        await self._add_services(base, reading, fetcher)
        await self._read_batches(base, reading)
        gauges = Gauges(
            base.metrics, base.database, reading, settings.data_dir, base.metering.windows
        )
        stack.push_async_callback(gauges.close)
        gauges.start()
        await self._serve(reading)
        sidecar = self._sidecar = await start_sidecar(
            settings, run_dir, http_port, base.metrics, self.metrics_port, base.certificates
        )
        if sidecar:
            stack.push_async_callback(sidecar.close)
            self.http_port = sidecar.port

    def _listen(self, base: Foundation) -> tuple[int, Path]:
        """Take the ports; return that of HTTP and the folder for sockets. Nothing answers yet."""
        settings = self._settings
        self._grpc = make_server(
            [
                make_interceptors(
                    base.metering, base.accounts, declared_access(), settings.trusted_networks
                )
            ],
            server_options(settings.max_inline_bytes, settings.max_connection_age_seconds),
            self._board,
        )
        # Otherwise one that never began to serve complains when it is collected.
        self._stack.push_async_callback(self._grpc.stop, None)
        # Before the workers, which take seconds: a taken port is told at once.
        self.port = bind(self._grpc, settings, base.certificates)
        http_port = choose_port(settings)
        run_dir = make_run_dir(base.spool, self._stack)
        bind_sockets(self._grpc, settings, run_dir)
        self.metrics_port = serve_metrics(base.metrics, settings, self._pulse.ailment)
        return http_port, run_dir

    async def _add_services(self, base: Foundation, reading: Reading, fetcher: Fetcher) -> None:
        """Have the server answer all RPCs of the contract."""
        settings, stack, kept, metrics = self._settings, self._stack, base.kept, base.metrics
        engines = reading.engines
        intake = Intake(self._extractor, base.spool, base.metering.ledger, base.metering.streams)
        limits = limits_for(OcrLimits, settings)
        offer = Offer(role_limits(settings), settings.registration, settings.auth_enabled)
        resumption = await open_resumption(settings, base.database, kept.blobs, kept.seal, stack)
        await open_retention(settings, kept, resumption.expiry, metrics, stack)
        streams = KeptStreams(resumption, intake, engines.ready_workers_of)
        servicer = OcrServicerImpl(intake, engines, version("ocr-grpc"), limits, offer, streams)
        add_OcrServiceServicer_to_server(servicer, self._grpc)
        add_compatibility_service(self._grpc, intake, fetcher, engines, limits)
        batches = make_batches(settings, kept, self._extractor)
        self._watching = batches.watching
        add_batch_service(self._grpc, kept, batches, self._extractor, intake, limits)
        await add_webhooks_service(self._grpc, settings, kept, metrics, stack)
        health = ServerHealth(
            base.database,
            base.metering.windows,
            base.metering.ledger,
            settings.data_dir,
            kept.blobs,
            lambda: self._engine.ready_workers,
            base.accounts.mailer.configured,
            lambda: self._sidecar.is_up if self._sidecar else None,
            lambda: reading.vision.ready_workers > 0 if reading.vision else None,
        )
        add_account_services(
            self._grpc, settings, base.accounts, base.metering, health, batches.dead_letters
        )

    async def _read_batches(self, base: Foundation, reading: Reading) -> None:
        """Begin to read batches, if this process does."""
        if not self._settings.batches_in_serve:
            return
        from ocr_grpc.wiring.batch_work import BatchWork, any_engine_ready

        self._work = BatchWork(
            self._settings,
            base.kept,
            self._extractor,
            Owners(base.database, role_limits(self._settings), base.accounts.everybody),
            base.spool,
            base.metrics,
            partial(any_engine_ready, reading.engines),
        )
        self._stack.push_async_callback(self._work.stop)
        await self._work.start()

    async def _serve(self, reading: Reading) -> None:
        """Answer calls from here on, and say so to whoever probes."""
        await self._grpc.start()
        self._stack.push_async_callback(self._cut_off)
        for pool in reading.line_engines:
            pool.on_ready_change = lambda _: self._extractor.resize()
        self._extractor.resize()
        self._engine.on_ready_change = self._engine_changed
        await self._board.set(SERVING)
        self._stack.push_async_callback(self._pulse.close)
        self._pulse.start()

    async def run(self, on_ready: "asyncio.Future[None] | None" = None) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        settings = self._settings
        bound = settings.shutdown_delay_seconds + settings.shutdown_grace_seconds
        await run_until_stopped(self, bound + HARD_EXIT_SECONDS, on_ready)

    async def stop(self) -> None:
        """Drain: no new calls, running ones may end, then everything is closed."""
        self._stopping = True
        self._pulse.leave()
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

    async def _cut_off(self) -> None:
        """Tell callers to come again, before what reads their documents is closed.

        Only those of a start that was given up: `stop` waits for callers before.
        """
        self._extractor.interrupt()
        await self._grpc.stop(LAST_WORDS_SECONDS)

    def _engine_changed(self, ready_workers: int) -> None:
        """Tell probes the truth: without a worker no image can be read."""
        self._extractor.resize()
        if not self._stopping:
            change = asyncio.create_task(self._board.set(SERVING if ready_workers else NOT_SERVING))
            self._health_changes.add(change)
            change.add_done_callback(self._health_changes.discard)
