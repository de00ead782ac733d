"""Empties the log that SQLite writes ahead, in which what was deleted would stay for a while."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ocr_grpc.store.database import Database

BUSY_SECONDS = 0.2
"""What it waits for readers. While it does nobody writes; if that is too short, the next time."""


async def truncate_wal(database: Database) -> bool:
    """Write the log into the file and empty it; return whether that was possible just now.

    With PostgreSQL there is nothing to do: its own log is not for a program to empty.
    """
    return database.path is None or await asyncio.to_thread(_truncate, database.path)


def _truncate(path: Path) -> bool:
    # A connection of its own: others are in transactions, and wait for longer.
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection,
    ):
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    return False
