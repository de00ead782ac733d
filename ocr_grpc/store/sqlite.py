"""What SQLite needs beside SQL: a file, a lock, and one writer at a time."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

EMBEDDED_FILE = "ocr.db"
"""The embedded database, below `DATA_DIR`."""

WRITES = "ocr_writes"
"""The option of a connection that its transactions write."""

BUSY_SECONDS = "ocr_busy_seconds"
"""The option of a connection how long it waits for a writer in another process."""

LONG_TURN = 0.1
"""The part of the wait from which on a turn counts as long, see `OneWriter.turn`."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL may lose the last commits when the power fails; a charge must not be lost.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # What is deleted is overwritten, and not left in the file until something takes its place.
    "PRAGMA secure_delete=ON",
)


class RollingBack(sqlite3.Connection):
    """A connection whose closing ends its transaction, and with it the lock of a writer.

    SQLite puts both off until the last cursor is gone. That of a cancelled task lives as long as
    what remembers the cancellation: for as long nobody could write.
    """

    def close(self) -> None:
        """Roll back what was not committed, and close."""
        with suppress(sqlite3.ProgrammingError):  # it is closed already
            self.rollback()
        super().close()


class OneWriter:
    """Lets one writer of this process at a time to a file, and none wait for long."""

    def __init__(self, wait_seconds: float) -> None:
        """Wait so many seconds at most, for this process and others together."""
        self._wait_seconds = wait_seconds
        # Waiting here is fair and costs no polling, unlike waiting for SQLite.
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[dict[str, float], None]:
        """Wait for one's turn; yield options for the connection that writes.

        There are some only after a long wait, so that those who had none pay nothing for it.

        Raises:
            TimeoutError: the turn did not come in time.
        """
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._lock.acquire()
        except TimeoutError:
            raise TimeoutError("The writers before this one took too long.") from None
        try:
            waited = asyncio.get_running_loop().time() - began
            is_long = waited > LONG_TURN * self._wait_seconds
            yield {BUSY_SECONDS: max(0.0, self._wait_seconds - waited)} if is_long else {}
        finally:
            self._lock.release()

    def prepare(self, connection: Any, _: object) -> None:
        """Set a new connection up; a listener for `connect`."""
        # SQLAlchemy, not the driver, begins transactions: see `begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, _busy_timeout(self._wait_seconds)):
            cursor.execute(pragma)
        cursor.close()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction; a listener for `begin`."""
        options = connection.get_execution_options()
        seconds = options.get(BUSY_SECONDS, self._wait_seconds)
        if seconds != connection.info.get(BUSY_SECONDS, self._wait_seconds):
            connection.exec_driver_sql(_busy_timeout(seconds))
            connection.info[BUSY_SECONDS] = seconds
        # A transaction that begins by reading cannot always become a writing one: say so at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES) else "BEGIN")


def _busy_timeout(seconds: float) -> str:
    return f"PRAGMA busy_timeout={round(seconds * 1000)}"


def make_file(path: Path) -> None:
    """Make the file, readable by its owner only, where there is none.

    Raises:
        OSError: it cannot be made or written. Said here and not by the driver, whose thread may
            outlive a failed opening and print a traceback of its own.
    """
    # SQLite gives its other files the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def has_tables(path: Path) -> bool:
    """Return whether there is a file with something in it; make none.

    Raises:
        OSError: it cannot be written, for the same reason as above.
    """
    if not path.exists():
        return False
    os.close(os.open(path, os.O_RDWR))
    return path.stat().st_size > 0


def lock_of(path: Path) -> Path:
    """Return the file that the only server of a database holds, however its address is written."""
    path = path.resolve()
    return path.with_name("ocr.lock" if path.name == EMBEDDED_FILE else f"{path.name}.lock")
