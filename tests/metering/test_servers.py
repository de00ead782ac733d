"""Dead servers: what they left open is closed, once, and they cannot charge any more."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ocr_grpc.metering.errors import LedgerUnavailable
from ocr_grpc.metering.servers import ServerLease
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.metering import (
    ServerRow,
)
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import PAGE, asking, caller, ledger_on, quota_of, usage_row


async def server_ids(database):
    async with database.read() as session:
        return sorted(await session.scalars(select(ServerRow.server_id)))


async def let_lapse(database, server_id):
    async with database.write() as session:
        await session.execute(
            update(ServerRow)
            .where(ServerRow.server_id == server_id)
            .values(lease_expire_time=utc_now() - timedelta(seconds=1))
        )


async def test_what_a_dead_server_left_open_is_closed_once_and_given_back(backend, database):
    dead = ServerLease(database, "dead")
    await dead.renew()
    with_key = caller(pages=500, key={"pages_per_month": 500})
    async with ledger_on(backend, "dead") as ledger:
        charges = [await ledger.reserve(asking(with_key, 2)) for _ in range(120)]
        for charge in charges[:5]:
            await charge.page(1, PAGE)
        metrics = [Metrics() for _ in range(3)]
        alive = [ServerLease(database, f"alive {n}", metrics[n]) for n in range(3)]
        for each in alive:
            await each.renew()
        assert await alive[0].sweep() == 0
        await let_lapse(database, "dead")
        swept = await asyncio.gather(*(each.sweep() for each in alive))
        assert sum(swept) == 120
        counted = [
            each.registry.get_sample_value("ocr_reservations_swept_total") for each in metrics
        ]
        assert sum(counted) == 120
        assert await quota_of(database, "ada") == (5, 0)
        assert await quota_of(database, "key of ada") == (5, 0)
        row = await usage_row(database, charges[0].usage_id)
        assert (row.status, row.pages, row.pages_reserved) == ("LOST", 1, 0)
        assert await server_ids(database) == ["alive 0", "alive 1", "alive 2"]

        # It was only stopped, and comes back: the lease is its own again, the rows are not.
        await dead.renew()
        with pytest.raises(LedgerUnavailable):
            await charges[0].page(2, PAGE)
        await charges[0].close("OK")
        row = await usage_row(database, charges[0].usage_id)
        assert (row.status, row.pages) == ("LOST", 1)
        await (await ledger.reserve(asking(with_key, 1))).page(1, PAGE)
        assert await quota_of(database, "ada") == (6, 0)


async def test_a_server_that_starts_sweeps(backend, database):
    async with ledger_on(backend, "before") as ledger:
        await ServerLease(database, "before").renew()
        charge = await ledger.reserve(asking(caller(), 3))
        if not database.is_sqlite:
            await let_lapse(database, "before")
        lease = ServerLease(database, "after", renew_seconds=0.05, lease_seconds=0.3)
        await lease.start()
        assert (await usage_row(database, charge.usage_id)).status == "LOST"
        assert await server_ids(database) == ["after"]
        await asyncio.sleep(0.5)
        other = ServerLease(database, "other")
        await other.renew()
        await other.sweep()
        assert await server_ids(database) == ["after", "other"]  # it was renewed
        await lease.close()
        assert await server_ids(database) == ["other"]
