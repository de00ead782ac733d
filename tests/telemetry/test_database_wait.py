"""What a wait for a connection to the database took is told."""

import asyncio

from sqlalchemy import text

from ocr_grpc.store.database import POOL_CONNECTIONS, Database

HELD_SECONDS = 0.3


async def test_waiting_for_a_connection_is_told(database: Database):
    waits: list[float] = []
    database.on_wait = waits.append
    assert database.connections_limit == 2 * POOL_CONNECTIONS
    free = asyncio.Event()
    held = asyncio.Semaphore(0)

    async def hold() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
            held.release()
            await free.wait()

    async with asyncio.timeout(60), asyncio.TaskGroup() as holders:
        for _ in range(database.connections_limit):
            holders.create_task(hold())
        for _ in range(database.connections_limit):
            await held.acquire()
        assert database.connections_in_use == len(waits) == database.connections_limit
        late = holders.create_task(database.ping())
        await asyncio.sleep(HELD_SECONDS)
        assert not late.done()
        free.set()
        await late
    assert waits[-1] > 0.9 * HELD_SECONDS
