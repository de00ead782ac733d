"""How long a call waits for the database, and when it may help to try again."""

import asyncio
import sqlite3
import time

import pytest
from sqlalchemy import text

from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable

WAIT_SECONDS = 1.0


@pytest.fixture
async def hurried(embedded):
    database = Database(embedded.database_url, WAIT_SECONDS)
    yield database
    await database.close()


async def _written(database: Database) -> tuple[str, float]:
    """Write; return how that ended, and the seconds it took."""
    began = time.monotonic()
    try:
        async with database.write() as session:
            await session.execute(text("UPDATE users SET display_name = ''"))
        return "written", time.monotonic() - began
    except DatabaseUnavailable:
        return "unavailable", time.monotonic() - began


async def test_no_writer_waits_much_longer_than_it_may_for_another_process(embedded, hurried):
    other = sqlite3.connect(hurried.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(_written(hurried))
    await asyncio.sleep(0.5)  # these wait half their time for the first
    ends = [await first, *await asyncio.gather(*(_written(hurried) for _ in range(5)))]
    assert {how for how, _ in ends} == {"unavailable"}
    assert max(seconds for _, seconds in ends) < 2.5 * WAIT_SECONDS
    other.execute("ROLLBACK")
    other.close()
    assert (await _written(hurried))[0] == "written"


async def test_waiting_for_a_writer_of_this_process_ends(hurried):
    async with hurried.write():
        ends = await asyncio.gather(*(_written(hurried) for _ in range(3)))
        with pytest.raises(DatabaseUnavailable):
            async with hurried.connection_for_migrations():
                raise AssertionError("Two write at once.")
    assert {how for how, _ in ends} == {"unavailable"}
    assert max(seconds for _, seconds in ends) < 2.5 * WAIT_SECONDS
    assert (await _written(hurried))[0] == "written"


async def test_cancelled_writers_hold_up_no_other_while_they_are_remembered(hurried):
    remembered = []
    for milliseconds in range(120):  # at whatever moment of it
        writers = [asyncio.create_task(_written(hurried)) for _ in range(4)]
        await asyncio.sleep(milliseconds % 20 / 1000)
        for writer in writers:
            writer.cancel()
        remembered += await asyncio.gather(*writers, return_exceptions=True)
        assert (await _written(hurried))[0] == "written"
    assert sum(isinstance(each, asyncio.CancelledError) for each in remembered) > 10


async def test_after_a_long_turn_a_connection_waits_as_long_as_ever(hurried):
    async def busy_milliseconds() -> int:
        async with hurried.write() as session:
            return (await session.execute(text("PRAGMA busy_timeout"))).scalar_one()

    async with hurried.write():
        waiting = asyncio.create_task(busy_milliseconds())
        await asyncio.sleep(0.4)
    assert 0 < await waiting < 1000 * (WAIT_SECONDS - 0.3)
    assert await busy_milliseconds() == 1000 * WAIT_SECONDS
    async with hurried.read() as session:
        assert (await session.execute(text("PRAGMA busy_timeout"))).scalar_one() == 1000


async def test_a_database_that_is_read_only_for_a_while_is_unavailable(production):
    database = Database(production.database_url)
    name = database.url.database
    on = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
    off = f"ALTER DATABASE {name} RESET default_transaction_read_only"
    async with database.write() as session:
        await session.execute(text(on))
    await database.engine.dispose()  # the setting holds for new connections
    assert (await _written(database))[0] == "unavailable"
    async with database.write() as session:
        await session.execute(text("SET TRANSACTION READ WRITE"))
        await session.execute(text(off))
    # A connection that was told it cannot write is not used again; another may still linger.
    ends = [(await _written(database))[0] for _ in range(2)]
    assert ends[-1] == "written"
    await database.close()


@pytest.mark.parametrize(
    "sqlstate", ["25006", "57P01", "57P02", "57P03", "08000", "08003", "08006", "08P01"]
)
async def test_states_that_pass_are_unavailable(production, sqlstate):
    database = Database(production.database_url)
    with pytest.raises(DatabaseUnavailable):
        async with database.write() as session:
            await session.execute(
                text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$")
            )
    await database.ping()
    await database.close()
