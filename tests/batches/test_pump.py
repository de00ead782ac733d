"""Waiting chunks are handed out fairly, in small helpings, and found again when they got lost."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import update

from ocr_grpc.batches.pump import Pump
from ocr_grpc.batches.sheet import CHANNEL, NEW_WORK
from ocr_grpc.batches.workers import Workers
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import ChunkRow
from ocr_grpc.store.news import News
from tests.batches.queues import Outbox, Workbench, dispatcher_for, running, until
from tests.batches.rows import add_batch, all_of


@pytest.fixture
async def news(database):
    opened = News(database, CHANNEL)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def workers(database):
    opened = Workers(database, slots=4)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def outbox():
    return Outbox()


@pytest.fixture
async def pump(database, news, outbox, workers):
    return Pump(database, news, outbox, workers)


async def add(database, user_id: str, count: int, **fields) -> list[int]:
    """Insert chunks that wait; `fields` are theirs."""
    _, chunks = await add_batch(database, count, user_id, state="waiting")
    ids = sorted(chunk.chunk_id for chunk in chunks)
    await change(database, ids, **fields)
    return ids


async def change(database, chunk_ids: list[int], **fields) -> None:
    if fields:
        async with database.write() as session:
            these = ChunkRow.chunk_id.in_(chunk_ids)
            await session.execute(update(ChunkRow).where(these).values(**fields))


async def states(database) -> Counter[str]:
    return Counter(row.state for row in await all_of(database, ChunkRow))


async def test_one_user_gets_all_slots_but_one_and_a_newcomer_that_one(database, pump, outbox):
    first = await add(database, "ann", 10)
    assert await pump.hand_out() == 3
    assert list(outbox.taken()) == first[:3]
    assert await pump.hand_out() == 0
    [newcomer] = await add(database, "bob", 1)
    assert await pump.hand_out() == 1
    assert list(outbox.taken()) == [newcomer]
    assert await states(database) == {"queued": 4, "waiting": 7}


async def test_what_ended_makes_room(database, pump, outbox):
    ids = await add(database, "ann", 10)
    await pump.hand_out()
    await change(database, ids[:1], state="running")
    assert await pump.hand_out() == 0
    await change(database, ids[:2], state="done")
    assert await pump.hand_out() == 2


async def test_within_a_user_by_priority_and_then_by_age(database, pump, outbox):
    low = await add(database, "ann", 1, priority=0)
    normal = await add(database, "ann", 2)
    high = await add(database, "ann", 1, priority=2)
    await pump.hand_out()
    assert list(outbox.taken()) == high + normal
    await change(database, high + normal, state="done")
    await pump.hand_out()
    assert list(outbox.taken()) == low


async def test_weights_are_shares(database, pump, outbox):
    heavy = await add(database, "ann", 9, weight=3.0)
    await add(database, "bob", 9)
    await pump.hand_out()
    assert len(set(outbox.taken()) & set(heavy)) == 3


async def test_a_chunk_is_not_handed_out_before_its_time(database, pump, outbox):
    later = await add(database, "ann", 1, run_after=utc_now() + timedelta(hours=1))
    due = await add(database, "ann", 1, run_after=utc_now() - timedelta(seconds=1))
    await pump.hand_out()
    assert list(outbox.taken()) == due
    await change(database, later, run_after=None)
    await pump.hand_out()
    assert list(outbox.taken()) == later


async def test_users_take_turns_at_a_single_slot(database, news, outbox):
    workers = Workers(database, slots=0)
    pump = Pump(database, news, outbox, workers)
    people = [f"user-{number}" for number in range(5)]
    owners = {}
    for user_id in people:
        owners |= dict.fromkeys(await add(database, user_id, 2), user_id)
    turns = []
    for _ in range(10):
        assert await pump.hand_out() == 1
        [chunk_id] = outbox.taken()
        turns.append(owners[chunk_id])
        await change(database, [chunk_id], state="done")
    assert turns == people * 2


async def test_one_chunk_that_runs_alone_is_out_at_a_time(database, pump, outbox):
    alone = await add(database, "ann", 3, alone=True)
    others = await add(database, "bob", 1)
    await pump.hand_out()
    assert [each.alone for each in outbox.sent] == [True, False]
    assert sorted(outbox.taken()) == [alone[0], *others]
    assert await pump.hand_out() == 0
    await change(database, alone[:1], state="done")
    await pump.hand_out()
    assert list(outbox.taken()) == [alone[1]]


async def test_a_users_first_chunk_goes_before_prefetched_ones(database, pump, outbox):
    await add(database, "ann", 2)
    await pump.hand_out()
    first, second = outbox.sent
    assert first.turn > second.turn


async def test_all_workers_that_are_alive_count(database, pump, outbox, workers):
    other = Workers(database, slots=8)
    if not database.is_sqlite:
        await other.renew()
    await add(database, "ann", 20)
    assert await pump.hand_out() == (3 if database.is_sqlite else 11)


async def test_leases_that_ran_out_do_not_count(database, workers):
    gone = Workers(database, slots=8, lease_seconds=-1)
    await gone.renew()
    await workers.renew()
    async with database.read() as session:
        assert await workers.capacity(session, await database.now(session)) == 4


async def test_lost_chunks_are_sent_again_and_others_left_alone(database, pump, outbox):
    ids = await add(database, "ann", 4, progress_time=utc_now() - timedelta(minutes=5))
    await change(database, ids[:1], state="queued")
    await change(database, ids[1:2], state="running", alone=True)
    await change(database, ids[2:3], state="running", progress_time=utc_now())
    assert await pump.find_lost() == 2
    assert [(each.chunk_id, each.alone) for each in outbox.lost] == [
        (ids[0], False),
        (ids[1], True),
    ]


async def test_lost_chunks_are_sent_in_the_order_of_all_processes(database, pump, outbox):
    ids = await add(database, "ann", 4, state="queued")
    for minutes, chunk_id in enumerate(ids, start=5):  # the last ones are lost for longest
        await change(database, [chunk_id], progress_time=utc_now() - timedelta(minutes=minutes))
    assert await pump.find_lost() == 4
    assert [each.chunk_id for each in outbox.lost] == ids


async def test_whoever_finds_another_process_handing_out_looks_again(
    database, news, workers, outbox, pump
):
    if database.is_sqlite:
        pytest.skip("SQLite has one process")
    await add(database, "ann", 1)
    other = Pump(database, news, outbox, workers)
    async with database.write() as session:
        assert await other._leads(session)
        pump._woken.clear()
        assert await pump.hand_out() == 0
        await asyncio.wait_for(pump._woken.wait(), 60)
    assert await pump.hand_out() == 1


async def test_only_one_process_hands_out_at_a_time(database, news, workers, outbox, pump):
    if database.is_sqlite:
        pytest.skip("SQLite has one process")
    await add(database, "ann", 10)
    other = Pump(database, news, outbox, workers)
    async with database.write() as session:
        assert await other._leads(session)
        assert await pump.hand_out() == 0
    assert await pump.hand_out() == 3


async def test_chunks_flow_from_the_tables_to_a_handler_as_others_end(database, news, workers):
    dispatcher, bench = dispatcher_for(database), Workbench()
    pump = Pump(database, news, dispatcher, workers)
    done = []

    async def handle(chunk_id: int) -> None:
        await bench(chunk_id)
        await change(database, [chunk_id], state="done")
        done.append(chunk_id)

    pump.start()
    async with running(dispatcher, handle):
        ids = await add(database, "ann", 12)
        async with database.write() as session:
            await news.note(session, NEW_WORK)
        await until(lambda: len(bench.now) == 3)
        bench.gate.set()
        await until(lambda: len(done) == 12)
        await pump.close()
    assert sorted(done) == ids
    assert await states(database) == {"done": 12}
