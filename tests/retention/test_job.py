"""One of all servers does the job, whatever happens to the others."""

import asyncio
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import update

from ocr_grpc.retention.job import RetentionJob, apply
from ocr_grpc.store.accounts import AuditRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.retention import JobLeaseRow, OldRows, Portion
from ocr_grpc.telemetry.retention_metrics import RetentionMetrics


class Scripted:
    """A rule that does as told, and counts how often it was asked."""

    kinds = ("scripted",)

    def __init__(self, *portions: Portion | Exception) -> None:
        self.portions = list(portions)
        self.asked = 0

    async def remove(self, now):
        self.asked += 1
        portion = self.portions.pop(0) if self.portions else Portion()
        if isinstance(portion, Exception):
            raise portion
        return portion

    async def due(self, now):
        return {"scripted": 0}


def job_of(database, *rules, seconds: float = 3600) -> tuple[RetentionJob, CollectorRegistry]:
    registry = CollectorRegistry()
    return RetentionJob(database, rules, RetentionMetrics(registry), seconds), registry


def success_of(registry) -> float:
    return registry.get_sample_value("ocr_retention_last_success_timestamp_seconds")


async def test_of_two_servers_one_does_it_and_the_other_takes_over(production, database_of):
    database = database_of(production)
    first, second = Scripted(), Scripted()
    one, _ = job_of(database, first)
    two, registry = job_of(database, second)
    await one.run_once()
    await two.run_once()
    assert (first.asked, second.asked) == (1, 0)
    assert success_of(registry) > 0  # of the other
    async with database.write() as session:  # the first one was killed
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(JobLeaseRow).values(expire_time=past))
    await two.run_once()
    await one.run_once()
    assert (first.asked, second.asked) == (1, 1)


async def test_a_server_that_stops_leaves_the_job_to_others_at_once(production, database_of):
    database = database_of(production)
    first, second = Scripted(), Scripted()
    one, _ = job_of(database, first)
    one.start()
    async with asyncio.timeout(30):
        while not first.asked:  # noqa: ASYNC110 - it is seen by looking
            await asyncio.sleep(0.02)
    await one.close()
    two, _ = job_of(database, second)
    await two.run_once()
    assert second.asked == 1


async def test_a_rule_that_fails_holds_up_no_other_and_is_no_success(backend, database_of):
    database = database_of(backend)
    good = Scripted(Portion({"scripted": 2}, more=True), Portion({"scripted": 1}))
    bad = Scripted(BlobsUnavailable(), Portion(failed=1))
    broken = Scripted(RuntimeError("wrong"))
    job, registry = job_of(database, broken, bad, good)
    assert await job.run_once() is False
    sample = ("ocr_retention_removed_total", {"kind": "scripted"})
    assert registry.get_sample_value(*sample) == 3
    assert success_of(registry) == 0
    await job.run_once()
    assert success_of(registry) == 0
    await job.run_once()
    assert success_of(registry) > 0


async def test_more_than_one_round_can_do_is_done_in_the_next(backend, database_of):
    database = database_of(backend)
    endless = Scripted(*[Portion({"scripted": 1}, more=True)] * 1000)
    other = Scripted()
    job, _ = job_of(database, endless, other)
    assert await job.run_once() is True
    assert endless.asked < 1000
    assert other.asked == 1


async def test_what_only_fails_is_not_tried_again_at_once():
    async def more(*rules: Scripted) -> bool:
        return (await apply(rules, utc_now(), lambda _: None)).more

    stuck = Scripted(*[Portion({"scripted": 0}, more=True, failed=1)] * 1000)
    assert not await more(stuck)  # else `ocr-grpc retention` would never end
    slow = Scripted(*[Portion({"scripted": 1}, more=True, failed=1)] * 1000)
    assert await more(stuck, slow)


async def test_a_job_that_is_woken_does_not_wait_for_its_time(embedded, database_of):
    database = database_of(embedded)
    rule = Scripted()
    job, _ = job_of(database, rule)
    job.start()
    async with asyncio.timeout(30):
        while rule.asked < 2:
            job.wake()
            await asyncio.sleep(0.05)
    await job.close()


async def test_deleted_rows_are_gone_from_the_file_of_sqlite(embedded, database_of, tmp_path):
    database = database_of(embedded)
    async with database.write() as session:
        session.add(AuditRow(action="a.b", address="10.77.66.55"))
    seen = [path for path in tmp_path.glob("ocr.db*") if b"10.77.66.55" in path.read_bytes()]
    assert seen
    rule = OldRows(database, "events", (AuditRow.event_id,), lambda now: (AuditRow.action != "",))
    job, _ = job_of(database, rule)
    await job.run_once()
    for path in tmp_path.glob("ocr.db*"):
        assert b"10.77.66.55" not in path.read_bytes()
