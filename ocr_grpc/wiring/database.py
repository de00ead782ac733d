"""Opens the database, and holds the embedded one."""

import fcntl
import os
from contextlib import AsyncExitStack

from ocr_grpc.settings import Settings
from ocr_grpc.store import migrations
from ocr_grpc.store.database import EMBEDDED_FILE, Database, embedded_url
from ocr_grpc.store.errors import DatabaseUnavailable, SchemaBehind
from ocr_grpc.wiring.errors import CannotServe


async def open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    """Open the database; the embedded one is brought up to date, and held by one server alone.

    Raises:
        CannotServe: another server holds it, it does not answer, or its tables are behind.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        _hold_embedded(settings, stack)
    database = Database(url or embedded_url(settings.data_dir))
    stack.push_async_callback(database.close)
    try:
        if url:
            await migrations.require_current(database)
        else:
            await migrations.upgrade(database)
    except SchemaBehind as behind:
        raise CannotServe(str(behind)) from None
    except DatabaseUnavailable:
        raise CannotServe("The database does not answer. Is DATABASE_URL right?") from None
    return database


def _hold_embedded(settings: Settings, stack: AsyncExitStack) -> None:
    """Keep a second server away from the embedded database: it would settle our reservations."""
    lock = stack.enter_context((settings.data_dir / "ocr.lock").open("w"))
    # For the owner alone, whatever the folder allows; SQLite gives its other files the same mode.
    os.close(os.open(settings.data_dir / EMBEDDED_FILE, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotServe(
            f"Another server uses {settings.data_dir}. DATA_DIR chooses another folder; with "
            "PostgreSQL (DATABASE_URL) any number of servers can run."
        ) from None
