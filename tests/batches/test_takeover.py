"""A process that dies or stands still loses its chunks to others."""

import asyncio
import os
import signal
import sys

import pytest
from sqlalchemy import text

from ocr_grpc.batches.dispatcher import Handout
from ocr_grpc.batches.postgresql_queue import PostgresqlDispatcher
from ocr_grpc.store.database import Database
from tests.batches.queues import Workbench, running, send, until

TAKEOVER_SECONDS = 4.0

WORKER = """
import asyncio, sys
from ocr_grpc.telemetry.logs import configure_logs
from ocr_grpc.batches.postgresql_queue import PostgresqlDispatcher
from ocr_grpc.store.database import Database

async def main():
    ended = asyncio.Event()

    async def handle(chunk_id):
        print("begun", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        ended.set()

    database = Database(sys.argv[1])
    dispatcher = PostgresqlDispatcher(database, 2, 0.0, float(sys.argv[2]))
    running = asyncio.create_task(dispatcher.run(handle))
    await ended.wait()
    running.cancel()
    await asyncio.wait({running})
    print("left", flush=True)

configure_logs("console", "error")
asyncio.run(main())
"""


@pytest.fixture
async def database(production):
    opened = Database(production.database_url)
    yield opened
    await opened.close()


@pytest.fixture
def dispatcher(database):
    return PostgresqlDispatcher(database, 2, 0.0, TAKEOVER_SECONDS)


@pytest.fixture
async def other_process(production):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, production.database_url, str(TAKEOVER_SECONDS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def in_queue(database: Database) -> list[str]:
    async with database.read() as session:
        keys = await session.execute(text("SELECT dedupe_key FROM ocr_dispatch.queue"))
        return list(keys.scalars())


async def test_the_chunk_of_a_killed_process_is_taken_over(database, dispatcher, other_process):
    await send(database, dispatcher, Handout(1))
    assert await other_process.stdout.readline() == b"begun\n"
    other_process.kill()
    bench = Workbench()
    bench.gate.set()
    async with running(dispatcher, bench):
        await until(lambda: bench.ended == [1])


async def test_who_went_on_after_a_stop_clears_away_nothing_of_others(
    database, dispatcher, other_process
):
    await send(database, dispatcher, Handout(1))
    assert await other_process.stdout.readline() == b"begun\n"
    os.kill(other_process.pid, signal.SIGSTOP)
    bench = Workbench()
    async with running(dispatcher, bench):
        await until(lambda: bench.now == {1})
        os.kill(other_process.pid, signal.SIGCONT)
        other_process.stdin.write(b"\n")
        assert await other_process.stdout.readline() == b"left\n"
        assert await in_queue(database) == ["c1"]
        bench.gate.set()
        await until(lambda: bench.ended == [1])
