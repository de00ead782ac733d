"""Sessions on SQLite or PostgreSQL: the same code for both, with what each of them needs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection, QueuePool

from ocr_grpc.store.base import utc_now
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.sqlite import EMBEDDED_FILE, WRITES, OneWriter, RollingBack

log = structlog.get_logger()

WAIT_SECONDS = 10.0
"""What a call waits for a connection, for a lock and for an answer, each at most."""

POOL_CONNECTIONS = 10
"""So many are kept, and as many more are made when these are busy."""


class Database:
    """The database of the service. One for the whole server; close it at the end."""

    def __init__(self, url: str | URL, wait_seconds: float = WAIT_SECONDS) -> None:
        """Open nothing yet.

        Args:
            url: for SQLAlchemy, `sqlite:///path` or `postgresql://user:password@host/name`.
            wait_seconds: what a call waits for a connection, for a lock and for an answer.
        """
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        driver = "sqlite+aiosqlite" if self.is_sqlite else "postgresql+asyncpg"
        options: dict[str, Any] = {
            "poolclass": _timed_pool(self),
            "pool_size": POOL_CONNECTIONS,
            "max_overflow": POOL_CONNECTIONS,
            "pool_timeout": wait_seconds,
            # Their errors would quote what was to be written.
            "hide_parameters": True,
        }
        if self.is_sqlite:
            options |= {"connect_args": {"factory": RollingBack}}
        else:
            options |= _postgresql_options(wait_seconds)
        self.on_wait: Callable[[float], None] = lambda seconds: None
        """Called with what each wait for a connection took, in seconds, for metrics."""
        self.answered_at = monotonic()
        """When the database last did what was asked of it."""
        self.engine = create_async_engine(self.url.set(drivername=driver), **options)
        self._writer = OneWriter(wait_seconds) if self.is_sqlite else None
        if self._writer:
            event.listen(self.engine.sync_engine, "connect", self._writer.prepare)
            event.listen(self.engine.sync_engine, "begin", self._writer.begin)
        else:
            event.listen(self.engine.sync_engine, "handle_error", _leave_standby)
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)
        writing = self.engine.execution_options(**{WRITES: True})
        self._writing = async_sessionmaker(writing, expire_on_commit=False)

    @property
    def path(self) -> Path | None:
        """The file of SQLite, None for PostgreSQL."""
        return Path(self.url.database or "") if self.is_sqlite else None

    @property
    def connections_limit(self) -> int:
        """How many connections there may be at most."""
        return 2 * POOL_CONNECTIONS

    @property
    def connections_in_use(self) -> int:
        """How many connections are in use at this moment."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession, None]:
        """Yield a session for reading.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with _translated():
            async with self._reading() as session:
                yield session
        self.answered_at = monotonic()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession, None]:
        """Yield a session in a transaction, committed at the end, rolled back on an error.

        Raises:
            DatabaseUnavailable: the database does not answer. What was to be written is not.
        """
        with _translated():
            async with self._turn() as options, self._writing.begin() as session:
                if options:
                    await session.connection(execution_options=options)
                yield session
        self.answered_at = monotonic()

    @asynccontextmanager
    async def connection_for_migrations(self) -> AsyncGenerator[AsyncConnection, None]:
        """Yield a connection in a transaction of its own, for `store/migrations.py`."""
        with _translated():
            async with self._turn() as options:
                engine = self.engine.execution_options(**{WRITES: True}, **options)
                async with engine.begin() as connection:
                    yield connection

    def _turn(self) -> AbstractAsyncContextManager[dict[str, float]]:
        """Wait for one's turn to write, where there are turns; yield options of the connection."""
        return self._writer.turn() if self._writer else nullcontext({})

    async def now(self, session: AsyncSession) -> datetime:
        """Return the time that all servers agree on: the database's own."""
        if self.is_sqlite:
            return utc_now()
        moment: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return moment

    async def ping(self) -> None:
        """Ask the database for nothing in particular.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def embedded_url(data_dir: Path) -> URL:
    """Return the address of the database that the service keeps by itself."""
    return URL.create("sqlite", database=str(data_dir / EMBEDDED_FILE))


def _timed_pool(database: Database) -> type[AsyncAdaptedQueuePool]:
    """Return the usual pool, which tells what waiting for a connection takes.

    A class of its own, because the pool makes new ones of its kind when connections were lost.
    """

    class TimedPool(AsyncAdaptedQueuePool):
        def connect(self) -> PoolProxiedConnection:
            began = perf_counter()
            try:
                return super().connect()
            finally:
                database.on_wait(perf_counter() - began)

    return TimedPool


class _translated:  # noqa: N801 - reads as a function
    """Turns what a driver raises into an error a caller may see."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if error and _is_passing(error):
            log.warning("database_unavailable", error=str(getattr(error, "orig", error))[:200])
            raise DatabaseUnavailable from error


_READ_ONLY = "25006"

_PASSING_SQLSTATES = {
    _READ_ONLY,  # a standby, until it is promoted or the address leads to another server
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "55P03",  # lock not available in time
    "57014",  # statement took too long
    "57P01",  # the server shuts down
    "57P02",  # it ends all sessions, since one of them crashed
    "57P03",  # it starts up
}

_CONNECTION_LOST = "08"
"""How the states of broken connections begin."""


def _sqlstate(error: BaseException | None) -> str:
    """Return the state that PostgreSQL gave an error, empty if it comes from elsewhere."""
    return getattr(error, "sqlstate", None) or ""


def _leave_standby(context: ExceptionContext) -> None:
    """Have a connection that cannot write be made anew: the next may lead to the new primary."""
    if _sqlstate(context.original_exception) == _READ_ONLY:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _is_passing(error: BaseException) -> bool:
    """Return whether it may help to try again."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return False
    sqlstate = _sqlstate(error.orig)
    is_passing = sqlstate in _PASSING_SQLSTATES or sqlstate.startswith(_CONNECTION_LOST)
    return error.connection_invalidated or is_passing


def _postgresql_options(wait_seconds: float) -> dict[str, Any]:
    milliseconds = str(round(wait_seconds * 1000))
    return {
        "pool_pre_ping": True,
        "connect_args": {
            "timeout": wait_seconds,
            "command_timeout": wait_seconds,
            "server_settings": {
                "application_name": "ocr-grpc",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
        },
    }
