"""The database is away: rows are kept, charges are refused, nothing is counted twice."""

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager, closing

import asyncpg
import pytest

from ocr_grpc.metering.entries import CallEntry
from ocr_grpc.metering.errors import LedgerUnavailable
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import PAGE, asking, caller, ledger_on, quota_of, until, usage_rows


@asynccontextmanager
async def away(backend):
    """The database takes no writes as long as the block lasts."""
    if backend.name == "embedded":
        path = backend.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    url, _, query = backend.database_url.partition("?")
    base, _, name = url.rpartition("/")
    connection = await asyncpg.connect(f"{base}/postgres?{query}")
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    yield
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await connection.close()


async def test_while_the_database_is_away_rows_are_kept_and_charges_refused(backend, database):
    metrics = Metrics()
    up = lambda: metrics.registry.get_sample_value("ocr_ledger_up")  # noqa: E731
    async with ledger_on(backend, metrics=metrics, wait_seconds=0.4) as ledger:
        charge = await ledger.reserve(asking(caller(pages=10), 4))
        await charge.page(1, PAGE)
        async with away(backend):
            for _ in range(50):
                ledger.record(CallEntry("m", "OK"))
            began = time.monotonic()
            refused = await asyncio.gather(
                charge.page(2, PAGE),
                ledger.reserve(asking(caller(pages=10), 1)),
                return_exceptions=True,
            )
            assert time.monotonic() - began < 5
            assert [type(each) for each in refused] == [LedgerUnavailable] * 2
            assert up() == 0
            await ledger.ready()  # there is room for more
            closing_charge = asyncio.create_task(charge.close("UNAVAILABLE", "LEDGER_UNAVAILABLE"))
            await asyncio.sleep(0.1)
        await closing_charge
        await until(lambda: not ledger.waiting)
        assert up() == 1
    rows = await usage_rows(database)
    assert sum(row.status == "OK" for row in rows) == 50
    assert not any(row.status == "OPEN" for row in rows)
    assert await quota_of(database, "ada") == (1, 0)
    assert metrics.registry.get_sample_value("ocr_ledger_lost_rows_total") == 0


async def test_once_too_many_rows_wait_no_call_is_served(backend, database):
    async with ledger_on(backend, max_records=20) as ledger:
        async with away(backend):
            for _ in range(19):
                ledger.record(CallEntry("m", "OK"))
            await asyncio.sleep(0.2)
            await ledger.ready()
            for _ in range(40):
                ledger.record(CallEntry("m", "UNAVAILABLE", "LEDGER_UNAVAILABLE"))
            with pytest.raises(LedgerUnavailable):
                await ledger.ready()
            ledger.record(CallEntry("m", "OK"))  # was served before the buffer was full
        await until(lambda: not ledger.waiting)
    assert sum(row.status == "OK" for row in await usage_rows(database)) == 20


async def test_connections_lost_in_between_count_nothing_twice(production, database_of):
    database = database_of(production)
    async with ledger_on(production) as ledger:
        charge = await ledger.reserve(asking(caller(pages=900), 300))

        async def charge_all():
            for start in range(1, 301, 30):
                numbers = range(start, start + 30)
                await asyncio.gather(*(charge.page(number, PAGE) for number in numbers))

        async def disturb():
            for _ in range(4):
                async with away(production):
                    pass
                await asyncio.sleep(0.01)

        await asyncio.gather(charge_all(), disturb())
        assert await quota_of(database, "ada") == (300, 0)
        await charge.close("OK")
    [row] = await usage_rows(database)
    assert (row.pages, row.prompt_tokens, row.status) == (300, 300, "OK")
