"""The ledger: what is charged, to whom, and that it is durable."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from ocr_grpc.metering.entries import CallEntry, PageUsage
from ocr_grpc.metering.errors import (
    InvalidRequestId,
    LedgerUnavailable,
    QuotaExceeded,
    RequestIdReused,
)
from ocr_grpc.store.accounts import KeyRow, UserRow
from ocr_grpc.store.metering import QuotaRow
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import (
    PAGE,
    asking,
    caller,
    ledger_on,
    quota_of,
    until,
    usage_row,
    usage_rows,
)

OTHER = b"o" * 32
SAME = b"s" * 32


@pytest.fixture
async def ledger(backend):
    async with ledger_on(backend) as opened:
        yield opened


async def test_a_charge_is_in_the_database_when_page_returns(ledger, database):
    charge = await ledger.reserve(asking(caller(pages=10), 3, call_id="c", extraction_id="e"))
    assert charge.remaining_pages == 7
    row = await usage_row(database, charge.usage_id)
    assert (row.status, row.pages, row.pages_reserved, row.server_id) == ("OPEN", 0, 3, "server")
    await charge.page(1, PAGE)
    row = await usage_row(database, charge.usage_id)
    assert (row.pages, row.pages_reserved, row.completion_chars, row.input_bytes) == (1, 2, 4, 5)
    assert await quota_of(database, "ada") == (1, 2)
    await charge.close("OK", duration_seconds=1.5)
    row = await usage_row(database, charge.usage_id)
    assert (row.status, row.pages, row.pages_reserved, row.server_id) == ("OK", 1, 0, None)
    assert (row.duration_seconds, row.call_id, row.extraction_id) == (1.5, "c", "e")
    assert await quota_of(database, "ada") == (1, 0)
    assert charge.remaining_pages == 9


async def test_a_page_is_charged_once_however_often_it_is_asked_for(ledger, database):
    charge = await ledger.reserve(asking(caller(pages=10), 3))
    await asyncio.gather(charge.page(1, PAGE), charge.page(1, PAGE))
    await charge.page(1, PAGE)
    assert await quota_of(database, "ada") == (1, 2)
    assert (await usage_row(database, charge.usage_id)).prompt_tokens == 1


async def test_failed_and_unread_pages_are_given_back(ledger, database):
    charge = await ledger.reserve(asking(caller(pages=10), 5))
    charge.failed_page()
    await charge.page(2, PAGE)
    assert await quota_of(database, "ada") == (1, 3)
    await charge.close("CANCELLED", partial_pages={2: PAGE, 3: PAGE})
    await charge.close("OK")
    assert await quota_of(database, "ada") == (2, 0)
    row = await usage_row(database, charge.usage_id)
    assert (row.status, row.pages, row.prompt_tokens) == ("CANCELLED", 2, 2)
    with pytest.raises(LedgerUnavailable):
        await charge.page(4, PAGE)


async def test_a_document_with_more_pages_than_are_left_is_refused_and_costs_nothing(
    ledger, database
):
    await (await ledger.reserve(asking(caller(pages=10), 4))).page(1, PAGE)
    with pytest.raises(QuotaExceeded) as refused:
        await ledger.reserve(asking(caller(pages=10), 7))
    assert refused.value.subject == "user:ada"
    assert refused.value.metadata == {"limit": "10", "remaining": "6", "asked": "7"}
    assert 0 < refused.value.retry_after_seconds <= 31 * 86400
    assert await quota_of(database, "ada") == (1, 3)


async def test_members_share_the_quota_of_their_organization(ledger, database):
    await ledger.reserve(asking(caller("ada", 10, organization_id="acme"), 6))
    with pytest.raises(QuotaExceeded) as refused:
        await ledger.reserve(asking(caller("bob", 10, organization_id="acme"), 5))
    assert refused.value.subject == "organization:acme"
    assert await quota_of(database, "acme") == (0, 6)
    assert await quota_of(database, "bob") == (0, 0)


async def test_a_key_has_a_lower_quota_of_its_own(ledger, database):
    with_key = caller(pages=10, key={"pages_per_month": 3})
    charge = await ledger.reserve(asking(with_key, 2))
    assert charge.remaining_pages == 1
    with pytest.raises(QuotaExceeded) as refused:
        await ledger.reserve(asking(with_key, 2))
    assert refused.value.subject == "key:key of ada"
    assert await quota_of(database, "ada") == (0, 2)
    await ledger.reserve(asking(caller(pages=10), 8))


async def test_without_a_limit_pages_are_counted_all_the_same(ledger, database):
    charge = await ledger.reserve(asking(caller(pages=0), 1000))
    await charge.page(1, PAGE)
    assert charge.remaining_pages is None
    assert await quota_of(database, "ada") == (1, 999)


@pytest.mark.parametrize("sizes", [[4] * 50, [1, 2, 3, 5, 8] * 10], ids=["same", "mixed"])
async def test_fifty_callers_race_for_the_last_hundred_pages(backend, database, sizes):
    async with database.write() as session:
        period = f"{datetime.now(UTC):%Y-%m}"
        session.add(QuotaRow(owner_id="ada", period=period, used_pages=400))

    async def extract(ledger, count):
        try:
            charge = await ledger.reserve(asking(caller(pages=500), count))
        except QuotaExceeded:
            return 0
        await asyncio.gather(*(charge.page(number, PAGE) for number in range(1, count + 1)))
        await charge.close("OK")
        return count

    async with AsyncExitStack() as stack:
        ledgers = [
            await stack.enter_async_context(ledger_on(backend, f"server {number}"))
            for number in range(3)
        ]
        granted = await asyncio.gather(
            *(extract(ledgers[place % 3], count) for place, count in enumerate(sizes))
        )
        # Whatever the order was, single pages fill up what is left.
        granted += [await extract(ledgers[0], 1) for _ in range(8)]
    assert sum(granted) == 100
    assert await quota_of(database, "ada") == (500, 0)


async def test_an_ordinary_call_is_committed_within_a_tenth_of_a_second(ledger, database):
    waits = []
    for _ in range(5):  # the machine may be busy once
        entry = CallEntry(
            "AuthService/Login", "UNAUTHENTICATED", "LOGIN_FAILED", call_id="x\0" * 90
        )
        began = time.monotonic()
        ledger.record(entry)
        await until(lambda: not ledger.waiting)
        waits.append(time.monotonic() - began)
    assert min(waits) < 0.1
    row = await usage_row(database, entry.usage_id)
    assert (row.status, row.reason) == ("UNAUTHENTICATED", "LOGIN_FAILED")
    assert (row.pages, row.user_id, row.call_id) == (0, None, "x" * 90)


async def test_many_charges_share_a_transaction(backend, database):
    metrics = Metrics()
    async with ledger_on(backend, metrics=metrics) as ledger:
        charge = await ledger.reserve(asking(caller(pages=1000), 500))
        before = metrics.registry.get_sample_value("ocr_ledger_commits_total")
        await asyncio.gather(*(charge.page(number, PAGE) for number in range(1, 501)))
        for _ in range(100):
            ledger.record(CallEntry("UsageService/ListUsage", "OK"))
        await charge.close("OK")
    commits = metrics.registry.get_sample_value("ocr_ledger_commits_total") - before
    assert commits <= 5
    assert metrics.registry.get_sample_value("ocr_pages_charged_total") == 500
    assert len(await usage_rows(database)) == 101


async def test_the_use_of_a_key_is_noted_to_the_minute(ledger, database):
    async with database.write() as session:
        session.add(UserRow(user_id="ada", user_name="ada"))
        await session.flush()
        session.add(KeyRow(key_id="k", user_id="ada", prefix="ocr_", scopes="ocr"))
    moment = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)
    ledger.record(CallEntry("OcrService/Extract", "OK", key_id="k", create_time=moment))
    earlier = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    ledger.record(CallEntry("OcrService/Extract", "OK", key_id="k", create_time=earlier))
    await ledger.close()
    async with database.read() as session:
        used = (await session.get(KeyRow, "k")).last_use_time
    assert used == datetime(2026, 11, 21, 12, 34, tzinfo=UTC)


async def test_a_repetition_under_a_request_id_is_charged_nothing(ledger, database):
    async def extract():
        reservation = asking(caller(pages=3), 3, request_id="r/1", fingerprint=SAME)
        charge = await ledger.reserve(reservation)
        for number in (1, 2, 3):
            await charge.page(number, PAGE)
        await charge.close("OK")
        return (await usage_row(database, charge.usage_id)).pages

    assert await extract() == 3
    assert await extract() == 0
    assert await quota_of(database, "ada") == (3, 0)
    for number, fingerprint in ((3, OTHER), (1, OTHER)):
        with pytest.raises(RequestIdReused):
            await ledger.reserve(
                asking(caller(pages=9), number, request_id="r/1", fingerprint=fingerprint)
            )
    with pytest.raises(InvalidRequestId):
        await ledger.reserve(asking(caller(), 1, request_id="r 1"))
    # It is the user's own: others may use the same.
    await ledger.reserve(asking(caller("bob"), 1, request_id="r/1", fingerprint=OTHER))


async def test_repetitions_at_the_same_time_are_charged_once(backend, database):
    async def extract(ledger):
        reservation = asking(caller(pages=500), 20, request_id="r", fingerprint=SAME)
        charge = await ledger.reserve(reservation)
        await asyncio.gather(*(charge.page(number, PAGE) for number in range(1, 21)))
        await charge.close("OK")
        return charge.usage_id

    async with ledger_on(backend, "one") as one, ledger_on(backend, "two") as two:
        ids = await asyncio.gather(*(extract((one, two)[n % 2]) for n in range(10)))
    assert await quota_of(database, "ada") == (20, 0)
    assert sum([(await usage_row(database, each)).pages for each in ids]) == 20


async def test_a_new_month_is_a_new_quota(backend, database):
    now = datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC)
    async with ledger_on(backend, clock=lambda: now) as ledger:
        november = await ledger.reserve(asking(caller(pages=10), 10))
        with pytest.raises(QuotaExceeded) as refused:
            await ledger.reserve(asking(caller(pages=10), 1))
        assert refused.value.retry_after_seconds == 10
        now = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
        december = await ledger.reserve(asking(caller(pages=10), 10))
        await november.page(1, PAGE)
        await november.close("OK")
        await december.page(1, PAGE)
    async with database.read() as session:
        months = [await session.get(QuotaRow, ("ada", f"2026-{month}")) for month in (11, 12)]
    assert [(row.used_pages, row.reserved_pages) for row in months] == [(1, 0), (1, 9)]


async def test_whoever_hangs_up_while_a_page_is_charged_is_not_charged(ledger, database):
    charge = await ledger.reserve(asking(caller(pages=30), 20))
    tasks = [asyncio.create_task(charge.page(number, PAGE)) for number in range(1, 21)]
    await asyncio.sleep(0)
    for task in tasks[10:]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(each is None for each in ended) == 10
    closing = asyncio.create_task(charge.close("CANCELLED"))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await ledger.close()
    row = await usage_row(database, charge.usage_id)
    assert (row.status, row.pages, row.prompt_tokens) == ("CANCELLED", 10, 10)
    assert await quota_of(database, "ada") == (10, 0)


async def test_whoever_hangs_up_while_pages_are_reserved_leaves_nothing_behind(ledger, database):
    for wait in (0.0, 0.001, 0.003):
        task = asyncio.create_task(ledger.reserve(asking(caller(pages=30), 20)))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await ledger.close()
    assert await quota_of(database, "ada") == (0, 0)
    assert all(row.status == "CANCELLED" for row in await usage_rows(database))


async def test_one_bad_operation_fails_nobody_else(backend, database):
    metrics = Metrics()
    async with ledger_on(backend, metrics=metrics) as ledger:
        charge = await ledger.reserve(asking(caller(), 2))
        bad = PageUsage(input_bytes=1 << 80)
        ended = await asyncio.gather(
            charge.page(1, PAGE), charge.page(2, bad), return_exceptions=True
        )
        ledger.record(CallEntry("m", "OK", usage=bad))
        ledger.record(CallEntry("m", "OK"))
        await charge.close("OK")
    assert ended[0] is None
    assert isinstance(ended[1], LedgerUnavailable)
    assert metrics.registry.get_sample_value("ocr_ledger_lost_rows_total") == 2
    assert len(await usage_rows(database)) == 2
    assert await quota_of(database, "ada") == (1, 0)


async def test_a_closed_ledger_says_so(backend):
    async with ledger_on(backend) as ledger:
        began = time.monotonic()
        await ledger.close()
        await ledger.close()
        assert time.monotonic() - began < 3
        with pytest.raises(LedgerUnavailable):
            await ledger.ready()
        with pytest.raises(LedgerUnavailable):
            await ledger.reserve(asking(caller(), 1))
        ledger.record(CallEntry("m", "OK"))
