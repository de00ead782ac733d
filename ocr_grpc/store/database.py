"""Sessions on SQLite or PostgreSQL: the same code for both, with what each of them needs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from ocr_grpc.store.base import utc_now
from ocr_grpc.store.errors import DatabaseUnavailable

log = structlog.get_logger()

WAIT_SECONDS = 10.0
"""What a call waits for a connection, for a lock and for an answer, each at most."""

POOL_CONNECTIONS = 10

EMBEDDED_FILE = "ocr.db"
"""The embedded database, below `DATA_DIR`."""

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL may lose the last commits when the power fails; a charge must not be lost.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={round(WAIT_SECONDS * 1000)}",
)

_WRITES = "ocr_writes"


class Database:
    """The database of the service. One for the whole server; close it at the end."""

    def __init__(self, url: str | URL) -> None:
        """Open nothing yet.

        Args:
            url: for SQLAlchemy, `sqlite:///path` or `postgresql://user:password@host/name`.
        """
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        driver = "sqlite+aiosqlite" if self.is_sqlite else "postgresql+asyncpg"
        options: dict[str, Any] = {} if self.is_sqlite else _postgresql_options()
        self.engine = create_async_engine(self.url.set(drivername=driver), **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)
        writing = self.engine.execution_options(**{_WRITES: True})
        self._writing = async_sessionmaker(writing, expire_on_commit=False)
        # SQLite has one writer; waiting for it here is fair and costs no polling.
        self._lock = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession, None]:
        """Yield a session for reading.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with _translated():
            async with self._reading() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession, None]:
        """Yield a session in a transaction, committed at the end, rolled back on an error.

        Raises:
            DatabaseUnavailable: the database does not answer. What was to be written is not.
        """
        with _translated():
            async with self._lock or nullcontext(), self._writing.begin() as session:
                yield session

    @asynccontextmanager
    async def connection_for_migrations(self) -> AsyncGenerator[AsyncConnection, None]:
        """Yield a connection in a transaction of its own, for `store/migrations.py`."""
        with _translated():
            async with self._lock or nullcontext():
                engine = self.engine.execution_options(**{_WRITES: True})
                async with engine.begin() as connection:
                    yield connection

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


class _translated:  # noqa: N801 - reads as a function
    """Turns what a driver raises into an error a caller may see."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if error and _is_passing(error):
            log.warning("database_unavailable", error=str(getattr(error, "orig", error))[:200])
            raise DatabaseUnavailable from error


_PASSING_SQLSTATES = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "55P03",  # lock not available in time
    "57014",  # statement took too long
    "57P01",  # the server shuts down
}


def _is_passing(error: BaseException) -> bool:
    """Return whether it may help to try again."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return False
    sqlstate = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or sqlstate in _PASSING_SQLSTATES


def _postgresql_options() -> dict[str, Any]:
    milliseconds = str(round(WAIT_SECONDS * 1000))
    return {
        "pool_size": POOL_CONNECTIONS,
        "max_overflow": POOL_CONNECTIONS,
        "pool_timeout": WAIT_SECONDS,
        "pool_pre_ping": True,
        "connect_args": {
            "timeout": WAIT_SECONDS,
            "command_timeout": WAIT_SECONDS,
            "server_settings": {
                "application_name": "ocr-grpc",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
        },
    }


def _prepare_sqlite(connection: Any, _: object) -> None:
    # SQLAlchemy, not the driver, begins transactions: see `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins by reading cannot always become a writing one: say so at once.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
