"""How much waits, and for how long, over all servers."""

from datetime import timedelta

from sqlalchemy import update

from ocr_grpc.batches.backlog import read_backlog
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, ChunkRow
from tests.batches.rows import add_batch


async def test_chunks_that_wait_and_the_oldest_batch_are_told(database):
    assert (await read_backlog(database)).chunks == 0
    assert (await read_backlog(database)).age_seconds == 0
    await add_batch(database)
    async with database.write() as session:
        made = utc_now() - timedelta(hours=1)
        await session.execute(update(BatchRow).values(create_time=made))
    backlog = await read_backlog(database)
    assert backlog.chunks == 1
    assert 3600 <= backlog.age_seconds < 7200
    async with database.write() as session:
        await session.execute(update(ChunkRow).values(state="running"))
    assert (await read_backlog(database)).chunks == 0
    async with database.write() as session:
        await session.execute(update(BatchRow).values(state="finished"))
    assert (await read_backlog(database)).age_seconds == 0
