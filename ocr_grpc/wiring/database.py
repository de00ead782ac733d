"""Opens the database, and holds a file of SQLite."""

import fcntl
import os
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from ocr_grpc.settings import Settings
from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database, embedded_url
from ocr_grpc.store.errors import SchemaBehind
from ocr_grpc.store.sqlite import lock_of, make_file
from ocr_grpc.store.troubles import DATABASE_ERRORS, sentence_about
from ocr_grpc.telemetry.tracing import watch_database
from ocr_grpc.wiring.errors import CannotServe

log = structlog.get_logger()


async def open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    """Open the database; one of SQLite is brought up to date, and held by one server alone.

    Raises:
        CannotServe: another server holds it, it cannot be used, or its tables are behind.
    """
    url = settings.database_url.get_secret_value()
    try:
        database = Database(url or embedded_url(settings.data_dir))
    except DATABASE_ERRORS:  # their text may have all of the address in it
        raise CannotServe("DATABASE_URL is no address of a database.") from None
    stack.push_async_callback(database.close)
    watch_database(database.engine.sync_engine)
    try:
        if database.path:
            make_file(database.path)
            _hold(database.path, stack)
            unknown = await migrations.bring_up_to_date(database)
        else:
            unknown = await migrations.require_current(database)
    except SchemaBehind as behind:
        raise CannotServe(str(behind)) from None
    except DATABASE_ERRORS as error:
        fix = "DATABASE_URL chooses another" if url else "DATA_DIR chooses another folder"
        raise CannotServe(
            f"The database cannot be used, {sentence_about(error, database)}. {fix}."
        ) from None
    if unknown:
        log.warning("database_newer", revision=unknown, known=migrations.newest_revision())
    return database


def _hold(path: Path, stack: AsyncExitStack) -> None:
    """Keep a second server away from a file of SQLite: it would settle our reservations."""
    lock = os.open(lock_of(path), os.O_RDWR | os.O_CREAT, 0o600)
    stack.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotServe(
            f"Another server uses {path}. DATA_DIR chooses another folder; with "
            "PostgreSQL (DATABASE_URL) any number of servers can run."
        ) from None
