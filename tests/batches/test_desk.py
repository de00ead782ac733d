"""What is written for a chunk: each page once, with event and charge, by its holder alone."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.errors import LeaseLost, WorkerCrashed
from ocr_grpc.batches.operations import EndedPage
from ocr_grpc.batches.sheet import CHANNEL
from ocr_grpc.documents.errors import PasswordRequired
from ocr_grpc.metering.entries import PageUsage, Reservation
from ocr_grpc.metering.errors import QuotaExceeded
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, EventRow, PageRow
from ocr_grpc.store.metering import QuotaRow, UsageRow
from ocr_grpc.store.news import News
from ocr_grpc.telemetry.metrics import Metrics
from tests.batches.rows import add_batch, all_of, one_of, person


@pytest.fixture
async def desks(database):
    """Two desks, as two processes have them."""
    news = News(database, CHANNEL)
    both = [Desk(database, news, Metrics(), worker_id) for worker_id in ("first", "second")]
    for desk in both:
        desk.start()
    yield both
    for desk in both:
        await desk.close()


def ended(number: int, outcome: str = "ok") -> EndedPage:
    reason = "READER_FAILED" if outcome == "failed" else ""
    return EndedPage(number, outcome, reason, PageUsage(completion_chars=10), b"page")


def reservation(pages: int, pages_per_month: int = 0) -> Reservation:
    payer = person(pages_per_month, "ann")
    return Reservation(payer, (range(1, pages + 1),), "BatchService/CreateBatch", "pdf")


async def kinds(database) -> list[str]:
    rows = await all_of(database, EventRow, order=EventRow.sequence)
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    return [row.kind for row in rows]


async def test_a_document_is_cut_into_chunks_and_its_pages_are_reserved(database, desks):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    assert await desks[0].plan(work.token, reservation(40), 40) == "1-16"
    rows = await all_of(database, ChunkRow, order=ChunkRow.chunk_id)
    assert [(row.pages, row.state) for row in rows] == [
        ("1-16", "running"),
        ("17-32", "waiting"),
        ("33-40", "waiting"),
    ]
    assert (await one_of(database, QuotaRow)).reserved_pages == 40
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.pages) == ("reading", 40)
    assert await kinds(database) == ["document_started"]


async def test_pages_are_charged_once_with_their_events_and_the_batch_ends_with_the_last(
    database, desks
):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    await desks[0].plan(work.token, reservation(3), 3)
    await desks[0].pages(work.token, [ended(1), ended(2, "failed")])
    await desks[0].pages(work.token, [ended(1), ended(3, "degraded")])
    await desks[0].end(work.token)
    batch, document = await one_of(database, BatchRow), await one_of(database, DocumentRow)
    for row in (batch, document):
        assert (row.pages_ok, row.pages_degraded, row.pages_failed) == (1, 1, 1)
        assert (row.state, row.completion_chars) == ("finished", 20)
    assert batch.finish_time
    assert batch.expire_time == batch.finish_time + timedelta(hours=24)
    usage, quota = await one_of(database, UsageRow), await one_of(database, QuotaRow)
    assert (usage.status, usage.pages, usage.pages_reserved) == ("OK", 2, 0)
    assert (quota.used_pages, quota.reserved_pages) == (2, 0)
    assert await kinds(database) == [
        "document_started",
        *["page_finished"] * 3,
        "document_finished",
        "finished",
    ]
    assert (await one_of(database, ChunkRow)).state == "done"


async def test_whoever_was_taken_for_dead_writes_nothing_more(database, desks):
    _, [chunk] = await add_batch(database)
    old = await desks[0].take(chunk.chunk_id)
    await desks[0].plan(old.token, reservation(2), 2)
    await desks[0].pages(old.token, [ended(1)])
    new = await desks[1].take(chunk.chunk_id)
    assert (new.pages, new.done, new.crashes) == ("1-2", {1}, 1)
    for writing in (desks[0].pages(old.token, [ended(2)]), desks[0].end(old.token)):
        with pytest.raises(LeaseLost):
            await writing
    await desks[1].pages(new.token, [ended(2)])
    assert (await one_of(database, UsageRow)).pages == 2


async def test_a_document_with_more_pages_than_the_month_has_left_fails_alone(database, desks):
    _, chunks = await add_batch(database, documents=2)
    first, second = [await desks[0].take(chunk.chunk_id) for chunk in chunks]
    with pytest.raises(QuotaExceeded) as refused:
        await desks[0].plan(first.token, reservation(11, 10), 11)
    await desks[0].fail(first.token, refused.value)
    await desks[0].plan(second.token, reservation(10, 10), 10)
    states = {row.number: row for row in await all_of(database, DocumentRow)}
    assert (states[1].state, states[1].reason) == ("failed", "QUOTA_EXCEEDED")
    assert states[2].state == "reading"


async def test_a_batch_of_documents_that_cannot_be_opened_ends(database, desks):
    _, chunks = await add_batch(database, documents=3)
    works = [await desks[0].take(chunk.chunk_id) for chunk in chunks]
    await asyncio.gather(
        *(desks[0].fail(work.token, PasswordRequired("It is encrypted.")) for work in works)
    )
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.documents_failed) == ("finished", 3)
    assert await kinds(database) == [*["document_finished"] * 3, "finished"]
    assert await all_of(database, UsageRow) == []


async def test_what_is_put_back_waits_for_its_time_and_counts_errors_only(database, desks):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    await desks[0].put_back(work.token, timedelta(), error=False)
    row = await one_of(database, ChunkRow)
    assert (row.state, row.errors, row.crashes, row.run_after) == ("waiting", 0, 0, None)
    assert await desks[0].take(chunk.chunk_id) is None
    await queue(database)
    work = await desks[0].take(chunk.chunk_id)
    assert work.crashes == 0
    await desks[0].put_back(work.token, timedelta(seconds=30), error=True)
    row = await one_of(database, ChunkRow)
    assert (row.state, row.errors) == ("waiting", 1)
    assert row.run_after is not None


async def queue(database) -> None:
    async with database.write() as session:
        await session.execute(update(ChunkRow).values(state="queued"))


async def test_a_page_is_condemned_when_three_processes_died_of_it_alone(database, desks):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    await desks[0].plan(work.token, reservation(3), 3)
    work = await desks[1].take(chunk.chunk_id)
    assert (work.crashes, work.alone) == (1, False)
    # It was delivered beside others, and from now on runs alone.
    assert await desks[0].take(chunk.chunk_id) is None
    row = await one_of(database, ChunkRow)
    assert (row.state, row.alone) == ("waiting", True)
    with pytest.raises(LeaseLost):
        await desks[1].pages(work.token, [ended(1)])
    await queue(database)
    work = await desks[0].take(chunk.chunk_id)
    for deaths in range(3):
        assert work.condemned is None
        await desks[deaths % 2].suspect(work.token, 2)
        work = await desks[(deaths + 1) % 2].take(chunk.chunk_id)
    assert work.condemned == 2


async def test_a_chunk_that_gets_on_between_crashes_is_not_what_kills(database, desks):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    await desks[0].plan(work.token, reservation(9), 9)
    for page in range(1, 6):
        work = await desks[page % 2].take(chunk.chunk_id)
        assert (work.crashes, work.alone) == (1, False)
        await desks[page % 2].pages(work.token, [ended(page)])


async def test_a_chunk_that_is_given_up_ends_its_document_with_failed_pages(database, desks):
    _, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    await desks[0].plan(work.token, reservation(2), 2)
    await desks[0].pages(work.token, [ended(1)])
    await desks[0].end(work.token, [ended(2, "failed")], WorkerCrashed())
    row = await one_of(database, ChunkRow)
    assert (row.state, row.reason) == ("dead", "WORKER_CRASHED")
    document = await one_of(database, DocumentRow)
    assert (document.state, document.pages_failed) == ("finished", 1)


async def test_a_cancelled_batch_keeps_what_was_read_and_gives_the_rest_back(database, desks):
    batch, chunks = await add_batch(database, documents=2)
    work = await desks[0].take(chunks[0].chunk_id)
    await desks[0].plan(work.token, reservation(20), 20)
    await desks[0].pages(work.token, [ended(1), ended(2)])
    ending = Ending(database, News(database, CHANNEL))
    ended_batch = await ending.cancel("ann", batch.batch_id)
    assert (ended_batch.state, ended_batch.documents_cancelled) == ("cancelled", 2)
    assert ended_batch.pages_ok == 2
    with pytest.raises(LeaseLost):
        await desks[0].pages(work.token, [ended(3)])
    assert {row.state for row in await all_of(database, ChunkRow)} == {"cancelled"}
    usage, quota = await one_of(database, UsageRow), await one_of(database, QuotaRow)
    assert (usage.status, usage.pages, usage.pages_reserved) == ("CANCELLED", 2, 0)
    assert (quota.used_pages, quota.reserved_pages) == (2, 0)
    again = await ending.cancel("ann", batch.batch_id)
    assert again.last_sequence == ended_batch.last_sequence
    assert (await kinds(database))[-1] == "finished"
    assert len(await all_of(database, PageRow)) == 2


async def test_a_deleted_batch_takes_nothing_more_even_while_it_is_removed(database, desks):
    batch, [chunk] = await add_batch(database)
    work = await desks[0].take(chunk.chunk_id)
    async with database.write() as session:
        await session.execute(delete(DocumentRow))
    with pytest.raises(LeaseLost):
        await desks[0].end(work.token)
    await queue(database)
    assert await desks[0].take(chunk.chunk_id) is None
    await Ending(database, News(database, CHANNEL)).delete("ann", batch.batch_id)
    assert (await one_of(database, ChunkRow)).state == "cancelled"


async def test_two_processes_write_for_one_batch_at_once_without_a_gap(database, desks):
    _, chunks = await add_batch(database, documents=6)

    async def read(desk: Desk, chunk: ChunkRow) -> None:
        work = await desk.take(chunk.chunk_id)
        await desk.plan(work.token, reservation(5), 5)
        await asyncio.gather(*(desk.pages(work.token, [ended(page)]) for page in range(1, 6)))
        await desk.end(work.token)

    await asyncio.gather(*(read(desks[at % 2], chunk) for at, chunk in enumerate(chunks)))
    batch = await one_of(database, BatchRow)
    assert (batch.state, batch.pages_ok, batch.documents_finished) == ("finished", 30, 6)
    assert len(await kinds(database)) == 6 + 30 + 6 + 1
    assert (await one_of(database, QuotaRow)).used_pages == 30
