"""Wires `ocr-grpc worker`: reads batches that servers on other machines take in."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic

import structlog
from sqlalchemy import select

from ocr_grpc.accounts.owners import Owners
from ocr_grpc.accounts.principal import Principal, everybody
from ocr_grpc.accounts.tokens import SECRET_FILE
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.processes import allow_many_files
from ocr_grpc.settings import Settings
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.database import Database
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.accounts import role_limits
from ocr_grpc.wiring.batch_work import BatchWork, any_engine_ready
from ocr_grpc.wiring.batches import open_kept
from ocr_grpc.wiring.compatibility import make_fetcher
from ocr_grpc.wiring.database import open_database
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.folders import make_run_dir, make_spool
from ocr_grpc.wiring.gauges import Gauges
from ocr_grpc.wiring.ports import serve_metrics
from ocr_grpc.wiring.pulse import Pulse
from ocr_grpc.wiring.reading import open_reading
from ocr_grpc.wiring.until_stopped import run_until_stopped

log = structlog.get_logger()

HARD_EXIT_SECONDS = 15.0
"""What stopping may take beyond the grace, before the process just ends."""

DATABASE_SECONDS = 20.0
"""How long the database may be silent: the process renews its lease there each five seconds."""


class BatchWorker:
    """A process that reads batches and answers no calls. `start`, then `stop`; or `run`."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings.

        Raises:
            CannotServe: there is nothing for a worker with them.
        """
        check_shared(settings)
        self._settings = settings
        self._stack = AsyncExitStack()
        self._work: BatchWork | None = None
        self._pulse = Pulse(self._trouble)
        self.metrics_port = 0

    @property
    def engine(self) -> EnginePool:
        """Return the engine workers."""
        return self._engine

    async def start(self) -> None:
        """Start the engine, then take chunks.

        Raises:
            CannotServe: the database is behind, a folder cannot be written, or no worker starts.
            EngineUnavailable: no engine worker became ready in time.
            DatabaseUnavailable: the database does not answer.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        settings = self._settings
        allow_many_files()
        fetcher = make_fetcher(settings)
        spool = make_spool(settings.data_dir, self._stack)
        metrics = Metrics()
        self._stack.push_async_callback(metrics.close)
        database = await open_database(settings, self._stack)
        kept = await open_kept(settings, database, fetcher, self._stack)
        self._database = database
        self.metrics_port = serve_metrics(metrics, settings, self._pulse.ailment)
        run_dir = make_run_dir(spool, self._stack)
        reading = await open_reading(settings, spool, run_dir, metrics, self._stack)
        self._engine, extractor = reading.engine, reading.extractor
        for pool in reading.line_engines:
            pool.on_ready_change = lambda _: extractor.resize()
        extractor.resize()
        owners = Owners(database, role_limits(settings), await _everybody(settings, database))
        gauges = Gauges(metrics, database, reading, settings.data_dir)
        self._stack.push_async_callback(gauges.close)
        gauges.start()
        self._ready = ready = partial(any_engine_ready, reading.engines)
        self._work = BatchWork(settings, kept, extractor, owners, spool, metrics, ready)
        self._stack.push_async_callback(self._work.stop)
        await self._work.start()
        self._stack.push_async_callback(self._pulse.close)
        self._pulse.start()

    def _trouble(self) -> str:
        """Return why no chunk can be read now; empty if one can."""
        if not self._ready():
            return "no_engine"
        if monotonic() - self._database.answered_at > DATABASE_SECONDS:
            return "no_database"
        return "" if self._work and self._work.running else "no_work"

    async def run(self, on_ready: "asyncio.Future[None]") -> None:
        """Work until SIGTERM or SIGINT, then give chunks back that have not ended."""
        bound = self._settings.shutdown_grace_seconds + HARD_EXIT_SECONDS
        await run_until_stopped(self, bound, on_ready)

    async def stop(self) -> None:
        """Give chunks back, for others to go on with at once, and close everything."""
        log.info("stopping")
        self._pulse.leave()
        await self._stack.aclose()
        log.info("stopped")


def check_shared(settings: Settings) -> None:
    """Refuse settings with which a worker would share nothing with a server.

    Raises:
        CannotServe: naming what to set.
    """
    url = settings.database_url.get_secret_value()
    if not url or url.startswith("sqlite"):
        raise CannotServe(
            "A worker needs the PostgreSQL of its servers: set DATABASE_URL. With SQLite there is "
            "one process, and `ocr-grpc serve` reads batches itself."
        )
    has_secret = bool(settings.secret_key.get_secret_value())
    if not has_secret and not (settings.data_dir / SECRET_FILE).exists():
        raise CannotServe(
            "A worker reads what its servers sealed: set SECRET_KEY to theirs, or DATA_DIR to the "
            "folder of a server on this machine."
        )


async def _everybody(settings: Settings, database: Database) -> Principal | None:
    """Return who everybody is where nobody signs in; None where people do."""
    if settings.auth_enabled:
        return None
    async with database.read() as session:
        anonymous = select(UserRow.user_id).where(UserRow.user_name == settings.anon_username)
        user_id = await session.scalar(anonymous)
    if user_id is None:
        return None  # no server has run yet, so there are no batches of it either
    return everybody(user_id, settings.anon_username)
