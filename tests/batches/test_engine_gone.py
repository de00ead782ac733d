"""A process without an engine leaves chunks to others, and loses none."""

import asyncio

import pytest

from ocr_grpc.batches.runner import Runner
from ocr_grpc.batches.workers import Workers
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.store.batches import BatchRow, ChunkRow, WorkerRow
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.batch_work import any_engine_ready
from tests.batches.queues import until
from tests.batches.rows import add_batch, one_of
from tests.extraction.scripted import Lines, Vision


class Engine:
    """Is there or not, and counts how often that was asked."""

    def __init__(self) -> None:
        self.there = False
        self.asked = 0

    def ready(self) -> bool:
        self.asked += 1
        return self.there


@pytest.fixture
def engine():
    return Engine()


def runner_of(office, engine: Engine, **options) -> Runner:
    return Runner(
        office.runner._parts, office.database, office.news, Metrics(), engine.ready, **options
    )


async def test_chunks_wait_untouched_until_the_engine_is_back(office, database, engine):
    _, [chunk] = await add_batch(database)
    running = asyncio.create_task(runner_of(office, engine).run(chunk.chunk_id))
    await until(lambda: engine.asked > 2)
    row = await one_of(database, ChunkRow)
    assert (row.state, row.attempt, row.errors) == ("queued", 0, 0)
    engine.there = True
    await asyncio.wait_for(running, 60)
    assert (await one_of(database, BatchRow)).state == "finished"


async def test_a_process_that_is_told_to_stop_waits_for_no_engine(office, database, engine):
    _, [chunk] = await add_batch(database)
    running = asyncio.create_task(runner_of(office, engine).run(chunk.chunk_id))
    await until(lambda: engine.asked > 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await one_of(database, ChunkRow)).state == "queued"


async def test_a_chunk_is_left_to_others_after_a_while(office, database, engine):
    _, [chunk] = await add_batch(database)
    await asyncio.wait_for(runner_of(office, engine, hold_seconds=0).run(chunk.chunk_id), 60)
    row = await one_of(database, ChunkRow)
    assert (row.state, row.attempt) == ("queued", 0)


async def test_slots_without_an_engine_do_not_count(database, engine):
    workers = Workers(database, slots=4, ready=engine.ready)
    for there, slots in ((True, 4), (False, 0), (True, 4)):
        engine.there = there
        await workers.renew()
        assert (await one_of(database, WorkerRow)).slots == slots
        async with database.read() as session:
            assert await workers.capacity(session, await database.now(session)) == max(1, slots)


def test_one_engine_of_several_is_enough():
    lines, vision = Lines(), Vision()
    engines = Engines([lines], vision)
    for of_lines, of_vision in ((1, 0), (0, 1), (0, 0)):
        lines.ready_workers, vision.ready_workers = of_lines, of_vision
        assert any_engine_ready(engines) == bool(of_lines + of_vision)
