"""Wires everything: the only file that knows every area."""

import asyncio
import os
import re
import shutil
import signal
import tempfile
from contextlib import AsyncExitStack
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import structlog

from ocr_grpc.certificates import CertificateWatch
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.spool import Spool
from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.rpc.access import declared_access
from ocr_grpc.rpc.capabilities import OcrLimits, Offer
from ocr_grpc.rpc.grpc_server import NOT_SERVING, SERVING, HealthBoard, make_server, server_options
from ocr_grpc.rpc.intake import Intake
from ocr_grpc.rpc.ocr import OcrServicerImpl
from ocr_grpc.rpc.tls import server_credentials
from ocr_grpc.settings import Settings, host_and_port
from ocr_grpc.sidecar.supervisor import Sidecar
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.v1.ocr_service_pb2_grpc import add_OcrServiceServicer_to_server
from ocr_grpc.wiring.accounts import open_accounts, role_limits
from ocr_grpc.wiring.certificates import open_certificates
from ocr_grpc.wiring.compatibility import add_compatibility_service, make_fetcher
from ocr_grpc.wiring.database import open_database
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.health import ServerHealth
from ocr_grpc.wiring.metering import open_metering
from ocr_grpc.wiring.services import add_account_services, make_interceptors
from ocr_grpc.wiring.sidecar import SOCKET_NAME, check_port, start_sidecar

log = structlog.get_logger()

HARD_EXIT_SECONDS = 15.0
"""What stopping may take beyond the grace of running calls, before the process just ends."""

LAST_WORDS_SECONDS = 1.0
"""How long before the end of the grace running streams are ended with a reason."""

SOCKET_FOLDER = re.compile(r"[A-Za-z0-9_./-]{1,90}")
"""Folders that can hold sockets: these allow 104 to 108 bytes, and grpc takes paths for URIs."""

MAX_TEMPORARY_CHARS = 60


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
        spool = self._make_spool()
        self._stack.callback(spool.close)
        metrics = self._metrics = Metrics()
        self._stack.push_async_callback(metrics.close)
        certificates = await open_certificates(settings, metrics, self._stack)
        database = await open_database(settings, self._stack)
        metering = await open_metering(settings, database, metrics, self._stack)
        accounts = await open_accounts(settings, database, metering.windows, self._stack)
        metering.lease.add_sweep(accounts.sessions.sweep)
        self.password_path = accounts.password_path
        self._grpc = make_server(
            make_interceptors(metering, accounts, declared_access(), settings.trusted_networks),
            server_options(settings.max_inline_bytes, settings.max_connection_age_seconds),
            self._board,
        )
        # Before the workers, which take seconds: a taken port is told at once.
        self.port = self._bind(host_and_port(settings.host, settings.grpc_port), certificates)
        check_port(settings)
        run_dir = self._run_dir(spool)
        self._bind_sockets(run_dir)
        self.metrics_port = self._serve_metrics()
        documents = DocumentPool(
            spool.path,
            self._document_limits(),
            settings.reader_count,
            settings.office_reader_count,
            warm_readers=1,
            watch=metrics,
        )
        self._stack.push_async_callback(documents.close)
        await documents.start()
        self._engine = EnginePool(self._worker_settings(spool, run_dir), settings.worker_count)
        self._stack.push_async_callback(self._engine.close)
        await self._engine.start()
        extractor = self._extractor = Extractor(
            documents, self._engine, settings.worker_count, _limits(ExtractionLimits, settings)
        )
        intake = Intake(extractor, spool, metering.ledger, metering.streams)
        limits = _limits(OcrLimits, settings)
        offer = Offer(role_limits(settings), settings.registration, settings.auth_enabled)
        servicer = OcrServicerImpl(intake, self._engine, version("ocr-grpc"), limits, offer)
        add_OcrServiceServicer_to_server(servicer, self._grpc)
        add_compatibility_service(self._grpc, intake, fetcher, self._engine, limits)
        health = ServerHealth(
            database,
            metering.windows,
            metering.ledger,
            settings.data_dir,
            lambda: self._engine.ready_workers,
            accounts.mailer.configured,
            lambda: self._sidecar.is_up if self._sidecar else None,
        )
        add_account_services(self._grpc, settings, accounts, metering, health)
        await self._grpc.start()
        self._engine.on_ready_change = self._engine_changed
        await self._board.set(SERVING)
        sidecar = self._sidecar = await start_sidecar(
            settings, run_dir, metrics, self.metrics_port, certificates
        )
        if sidecar:
            self._stack.push_async_callback(sidecar.close)
            self.http_port = sidecar.port

    async def run(self, on_ready: "asyncio.Future[None] | None" = None) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if not await self._started_before(stop):
            return
        if on_ready:
            on_ready.set_result(None)
        await stop.wait()
        # A second signal, or something that hangs, must not keep the process for ever.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, os._exit, 1)
        settings = self._settings
        bound = settings.shutdown_delay_seconds + settings.shutdown_grace_seconds
        loop.call_later(bound + HARD_EXIT_SECONDS, os._exit, 1)
        await self.stop()

    async def _started_before(self, stop: asyncio.Event) -> bool:
        """Start, unless told to stop meanwhile: loading the engines takes seconds."""
        starting = asyncio.create_task(self.start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return False
        await starting
        return True

    async def stop(self) -> None:
        """Drain: no new calls, running ones may end, then everything is closed."""
        self._stopping = True
        log.info("stopping")
        await self._board.leave()
        await asyncio.sleep(self._settings.shutdown_delay_seconds)
        if self._sidecar:
            await self._sidecar.drain()
        grace_seconds = self._settings.shutdown_grace_seconds
        # Before grpc cuts them, streams end themselves, with a last event that says why.
        interruption = asyncio.get_running_loop().call_later(
            max(0.0, grace_seconds - LAST_WORDS_SECONDS), self._extractor.interrupt
        )
        await self._grpc.stop(grace_seconds)
        interruption.cancel()
        if self._sidecar:
            await self._sidecar.stop()
        await self._stack.aclose()
        log.info("stopped")

    def _engine_changed(self, ready_workers: int) -> None:
        """Tell probes the truth: without a worker no image can be read."""
        if not self._stopping:
            change = asyncio.create_task(self._board.set(SERVING if ready_workers else NOT_SERVING))
            self._health_changes.add(change)
            change.add_done_callback(self._health_changes.discard)

    def _bind_sockets(self, run_dir: Path) -> None:
        """Listen where sidecars come in; what they say of their callers is believed."""
        if self._settings.http_enabled:
            self._bind(f"unix:{run_dir / SOCKET_NAME}")
        if others := self._settings.sidecar_socket:
            self._bind(f"unix:{others.absolute()}")
            others.chmod(0o660)

    def _bind(self, address: str, certificates: CertificateWatch | None = None) -> int:
        try:
            if certificates:
                credentials = server_credentials(lambda: certificates.current)
                return self._grpc.add_secure_port(address, credentials)
            return self._grpc.add_insecure_port(address)
        except RuntimeError:
            raise CannotServe(
                f"Cannot listen on {address}: is another server running there? "
                "GRPC_PORT and HOST choose another address."
            ) from None

    def _serve_metrics(self) -> int:
        settings = self._settings
        try:
            return self._metrics.start_http(settings.host, settings.metrics_port)
        except OSError as error:
            if "metrics_port" not in settings.model_fields_set:
                # Nobody chose it, so nobody minds another: a second server must start too.
                port = self._metrics.start_http(settings.host, 0)
                log.warning("metrics_port_taken", port=settings.metrics_port, instead=port)
                return port
            raise CannotServe(
                f"Cannot listen on {host_and_port(settings.host, settings.metrics_port)}: "
                f"{error.strerror}. METRICS_PORT chooses another port."
            ) from None

    def _make_spool(self) -> Spool:
        data_dir = self._settings.data_dir
        try:
            return Spool(data_dir / "spool")
        except OSError as error:
            raise CannotServe(
                f"Cannot write to {data_dir}: {error.strerror}. DATA_DIR chooses another folder."
            ) from None

    def _run_dir(self, spool: Spool) -> Path:
        """Return a folder for sockets, beside the spooled files if that path will do."""
        if SOCKET_FOLDER.fullmatch(str(spool.path)):
            return spool.path
        # The folder for temporary files may be as long; /tmp itself never is.
        fits = len(tempfile.gettempdir()) < MAX_TEMPORARY_CHARS
        folder = Path(tempfile.mkdtemp(prefix="ocr-grpc-", dir=None if fits else "/tmp"))  # noqa: S108
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _worker_settings(self, spool: Spool, run_dir: Path) -> WorkerSettings:
        settings = self._settings
        choice = EngineChoice(settings.engine, settings.engine_backend, settings.engine_precision)
        return WorkerSettings(
            choice=choice,
            spool=spool.path,
            run_dir=run_dir,
            memory_bytes=settings.engine_memory_bytes,
            start_seconds=settings.engine_start_seconds,
        )

    def _document_limits(self) -> DocumentLimits:
        settings = self._settings
        return DocumentLimits(
            max_document_bytes=settings.max_document_bytes,
            max_pages=settings.max_pages,
            max_page_pixels=settings.max_page_pixels,
            max_archive_members=settings.max_archive_members,
            max_archive_bytes=settings.max_archive_bytes,
            max_archive_ratio=settings.max_archive_ratio,
            max_pictures_per_page=settings.max_pictures_per_page,
            open_seconds=settings.open_timeout_seconds,
            page_seconds=settings.render_timeout_seconds,
            reader_memory_bytes=settings.reader_memory_bytes,
        )


Limits = TypeVar("Limits", ExtractionLimits, OcrLimits)


def _limits(kind: type[Limits], settings: Settings) -> Limits:
    """Return the limits that an area asks for; its fields are settings of the same names."""
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})
