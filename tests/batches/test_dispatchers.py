"""Chunks reach a handler, in one process and between many, and are not lost on the way."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text

from ocr_grpc.batches.dispatcher import Handout
from ocr_grpc.store.database import Database
from tests.batches.queues import Workbench, dispatcher_for, running, send, until


@pytest.fixture
async def on_postgresql(production):
    opened = Database(production.database_url)
    yield opened
    await opened.close()


async def in_queue(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(text("SELECT count(*) FROM ocr_dispatch.queue"))


async def test_chunks_are_delivered_and_ends_are_told(database):
    dispatcher, bench, ends = dispatcher_for(database), Workbench(), []
    dispatcher.on_ended = lambda: ends.append(1)
    bench.gate.set()
    async with running(dispatcher, bench):
        await send(database, dispatcher, Handout(1), Handout(2), Handout(3))
        await until(lambda: len(ends) == 3)
        await send(database, dispatcher, Handout(4))
        await until(lambda: len(ends) == 4)
    assert sorted(bench.begun) == [1, 2, 3, 4]


async def test_a_transaction_that_is_rolled_back_sends_nothing(database):
    dispatcher, bench = dispatcher_for(database), Workbench()
    bench.gate.set()
    async with running(dispatcher, bench):
        with suppress(ZeroDivisionError):
            async with database.write() as session:
                await dispatcher.enqueue(session, [Handout(1)])
                raise ZeroDivisionError
        await send(database, dispatcher, Handout(2))
        await until(lambda: bench.ended == [2])
    assert bench.begun == [2]


async def test_what_is_on_its_way_or_being_worked_on_is_not_lost(database):
    dispatcher, bench = dispatcher_for(database, slots=2), Workbench()
    handouts = [Handout(1), Handout(2), Handout(3)]
    async with running(dispatcher, bench):
        await send(database, dispatcher, *handouts)
        await until(lambda: len(bench.now) == 2)
        async with database.write() as session:
            await dispatcher.enqueue_lost(session, [*handouts, Handout(4)])
        bench.gate.set()
        await until(lambda: 4 in bench.ended)
    assert sorted(bench.begun) == [1, 2, 3, 4]


async def test_a_chunk_that_was_given_back_is_delivered_again_at_once(database):
    dispatcher = dispatcher_for(database)
    deliveries = 0

    async def handle(chunk_id: int) -> None:
        nonlocal deliveries
        deliveries += 1
        if deliveries < 20:  # while its own delivery is still there
            await send(database, dispatcher, Handout(chunk_id, taken_before=True))

    async with running(dispatcher, handle):
        await send(database, dispatcher, Handout(7))
        await until(lambda: deliveries == 20)


async def test_never_more_than_the_slots_and_one_that_runs_alone(database):
    dispatcher, bench = dispatcher_for(database, slots=3), Workbench()
    alone = [Handout(number, alone=True) for number in (1, 2, 3)]
    async with running(dispatcher, bench):
        await send(database, dispatcher, *alone, *(Handout(number) for number in range(4, 9)))
        await until(lambda: len(bench.now) == 3)
        assert len(bench.now & {1, 2, 3}) == 1
        bench.gate.set()
        await until(lambda: len(bench.ended) == 8)


async def test_who_is_handed_out_first_is_delivered_first(database):
    dispatcher, bench = dispatcher_for(database, slots=2), Workbench()
    await send(database, dispatcher, Handout(1), Handout(2), Handout(3, turn=5), Handout(4, turn=9))
    async with running(dispatcher, bench):
        await until(lambda: len(bench.now) == 2)
        assert bench.now == {3, 4}
        bench.gate.set()
        await until(lambda: len(bench.ended) == 4)


async def test_a_handler_that_fails_harms_no_other_and_its_chunk_can_be_sent_again(database):
    dispatcher, begun, ended = dispatcher_for(database), [], []

    async def handle(chunk_id: int) -> None:
        begun.append(chunk_id)
        if begun.count(1) == 1 and chunk_id == 1:
            raise ZeroDivisionError
        ended.append(chunk_id)

    async def swept() -> bool:
        async with database.write() as session:
            await dispatcher.enqueue_lost(session, [Handout(1)])
        return 1 in ended

    async with running(dispatcher, handle):
        await send(database, dispatcher, Handout(1), Handout(2))
        await until(lambda: ended == [2])
        await until(swept)


async def test_who_stops_takes_nothing_more_and_lets_chunks_end(database):
    dispatcher, bench = dispatcher_for(database, slots=2, grace_seconds=60), Workbench()
    async with running(dispatcher, bench) as task:
        await send(database, dispatcher, Handout(1), Handout(2), Handout(3))
        await until(lambda: len(bench.now) == 2)
        task.cancel()
        await asyncio.sleep(0)
        bench.gate.set()
        await asyncio.wait({task})
    assert task.cancelled()
    assert sorted(bench.ended) == [1, 2]
    assert not bench.cancelled


async def test_after_the_grace_what_still_runs_is_cancelled(database):
    dispatcher, bench = dispatcher_for(database, slots=2), Workbench()
    async with running(dispatcher, bench):
        await send(database, dispatcher, Handout(1), Handout(2))
        await until(lambda: len(bench.now) == 2)
    assert sorted(bench.cancelled) == [1, 2]


async def test_another_process_goes_on_with_what_was_cut(on_postgresql):
    first, second = dispatcher_for(on_postgresql), dispatcher_for(on_postgresql)
    cut, whole = Workbench(), Workbench()
    whole.gate.set()
    async with running(first, cut):
        await send(on_postgresql, first, Handout(1))
        await until(lambda: cut.now == {1})
    async with running(second, whole):
        await until(lambda: whole.ended == [1])
        await until(lambda: _is_empty(on_postgresql))


async def _is_empty(database: Database) -> bool:
    return await in_queue(database) == 0


async def test_a_lost_connection_stops_no_chunk_and_the_next_one_comes(on_postgresql):
    dispatcher, bench = dispatcher_for(on_postgresql), Workbench()
    async with running(dispatcher, bench):
        await send(on_postgresql, dispatcher, Handout(1))
        await until(lambda: bench.now == {1})
        async with on_postgresql.write() as session:
            killed = await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'ocr-grpc batches' AND datname = current_database()"
                )
            )
            assert len(killed.all()) == 1
        await send(on_postgresql, dispatcher, Handout(2))
        await until(lambda: bench.now == {1, 2})
        bench.gate.set()
        await until(lambda: _is_empty(on_postgresql))
    assert bench.begun == [1, 2]
    assert sorted(bench.ended) == [1, 2]
