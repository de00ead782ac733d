"""Chunks are read to their end, by whoever has them, and never twice."""

import asyncio

import pytest
from sqlalchemy import update

from ocr_grpc.accounts.errors import UserDisabled
from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.passing import MAX_ERRORS
from ocr_grpc.documents.errors import PageError, PasswordRequired
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.rpc.page_results import decoded_page
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, EventRow, PageRow
from ocr_grpc.store.metering import QuotaRow, UsageRow
from ocr_grpc.v1 import page_pb2
from tests.batches.rows import add_batch, all_of, one_of


async def test_a_document_is_read_in_chunks_and_its_pages_are_kept(office, database):
    await add_batch(database)
    office.extractor.page_count = 20
    await office.run()
    assert office.extractor.asked == ["1-16", "17-20"]
    rows = await all_of(database, PageRow, order=PageRow.page_number)
    pages = [decoded_page(row.result) for row in rows]
    assert [page.text for page in pages] == [f"page {number}" for number in range(1, 21)]
    assert {page.outcome for page in pages} == {page_pb2.PAGE_OUTCOME_OK}
    assert (await one_of(database, BatchRow)).state == "finished"
    assert (await one_of(database, UsageRow)).pages == 20


async def test_a_bad_page_fails_alone(office, database):
    await add_batch(database)
    office.extractor.page_errors[2] = PageError("It is damaged.")
    await office.run()
    document = await one_of(database, DocumentRow)
    assert (document.state, document.pages_ok, document.pages_failed) == ("finished", 2, 1)
    [row] = await all_of(database, PageRow, PageRow.page_number == 2)
    page = decoded_page(row.result)
    assert (page.reason, page.message) == ("UNREADABLE_PAGE", "It is damaged.")


async def test_a_page_whose_engine_is_away_is_read_again_later_and_no_other(office, database):
    await add_batch(database)
    office.extractor.page_errors[2] = EngineUnavailable("No worker is ready.")
    office.extractor.once = True
    await office.run()
    assert office.extractor.asked == ["1-3", "2"]
    assert sorted(office.extractor.read) == [1, 2, 3]
    document = await one_of(database, DocumentRow)
    assert (document.state, document.pages_ok) == ("finished", 3)
    assert (await one_of(database, ChunkRow)).errors == 1


async def test_an_error_that_never_passes_ends_as_a_dead_letter(office, database):
    await add_batch(database)
    office.extractor.refusal = EngineUnavailable("No worker is ready.")
    await office.run()
    chunk, document = await one_of(database, ChunkRow), await one_of(database, DocumentRow)
    assert (chunk.state, chunk.reason, chunk.errors) == ("dead", "GIVEN_UP", MAX_ERRORS - 1)
    assert (document.state, document.reason) == ("failed", "GIVEN_UP")
    assert (await one_of(database, BatchRow)).state == "finished"


async def test_a_document_that_cannot_be_opened_fails_with_the_reason(office, database):
    await add_batch(database)
    office.extractor.refusal = PasswordRequired("It is encrypted.")
    await office.run()
    document = await one_of(database, DocumentRow)
    assert (document.state, document.reason) == ("failed", "PASSWORD_REQUIRED")
    assert await all_of(database, UsageRow) == []


async def test_the_rest_of_a_document_whose_file_went_bad_is_failed(office, database):
    await add_batch(database)
    office.extractor.page_count = 20
    async with database.write() as session:
        await session.execute(update(ChunkRow).values(state="queued"))
    [chunk] = await all_of(database, ChunkRow)
    await office.runner.run(chunk.chunk_id)
    office.extractor.refusal = PasswordRequired("It is encrypted.")
    await office.run()
    document = await one_of(database, DocumentRow)
    assert (document.pages_ok, document.pages_failed) == (16, 4)
    assert (await one_of(database, QuotaRow)).reserved_pages == 0


async def test_cancelling_the_batch_stops_its_pages_and_keeps_what_ended(office, database):
    batch, [chunk] = await add_batch(database)
    office.extractor.held.clear()
    running = asyncio.create_task(office.runner.run(chunk.chunk_id))
    await asyncio.wait_for(office.extractor.reading.wait(), 60)
    await Ending(database, office.news).cancel("ann", batch.batch_id)
    await asyncio.wait_for(running, 60)
    assert (office.extractor.stopped, office.extractor.read) == (1, [])
    assert (await one_of(database, ChunkRow)).state == "cancelled"


async def test_a_process_that_is_told_to_stop_gives_its_chunks_back(office, database):
    _, [chunk] = await add_batch(database)
    office.extractor.held.clear()
    running = asyncio.create_task(office.runner.run(chunk.chunk_id))
    await asyncio.wait_for(office.extractor.reading.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    row = await one_of(database, ChunkRow)
    assert (row.state, row.crashes, row.errors) == ("waiting", 0, 0)
    office.extractor.held.set()
    await office.run()
    assert (await one_of(database, BatchRow)).pages_ok == 3


async def die_of_it(office, database, chunk: ChunkRow) -> None:
    """Work on a chunk as a process does that is killed by a page: nothing is given back."""
    office.extractor.died.clear()
    running = asyncio.create_task(office.runner.run(chunk.chunk_id))
    await asyncio.wait_for(office.extractor.died.wait(), 60)
    async with database.write() as session:
        await session.execute(update(ChunkRow).values(worker_id="killed", attempt=1000))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await one_of(database, ChunkRow)).state == "running"


async def test_a_page_that_kills_every_process_is_failed_and_the_others_are_read(office, database):
    _, [chunk] = await add_batch(database)
    # The first, so that no page before it ends: that would be progress, and forgive a death.
    office.extractor.fatal_page = 1
    for deaths in range(5):
        await die_of_it(office, database, chunk)
        if deaths == 1:
            # Now it is suspected, and waits to be handed out alone.
            await office.runner.run(chunk.chunk_id)
            async with database.write() as session:
                await session.execute(update(ChunkRow).values(state="queued"))
    await office.runner.run(chunk.chunk_id)
    rows = await all_of(database, PageRow, order=PageRow.page_number)
    assert [(row.outcome, row.reason) for row in rows] == [
        ("failed", "WORKER_CRASHED"),
        ("ok", ""),
        ("ok", ""),
    ]
    assert (await one_of(database, BatchRow)).state == "finished"
    assert len(await all_of(database, EventRow)) == 6


async def test_pages_that_ended_before_a_surprise_are_kept(office, database):
    await add_batch(database)
    office.extractor.page_count = 5
    office.extractor.surprise_after = 2
    await office.run()
    rows = await all_of(database, PageRow, order=PageRow.page_number)
    outcomes = {row.page_number: row.reason for row in rows}
    assert outcomes == dict.fromkeys(range(1, 6), "")
    assert (await one_of(database, BatchRow)).state == "finished"


async def test_what_always_ends_in_a_surprise_ends_all_the_same(office, database):
    await add_batch(database)
    office.extractor.surprise_after = 0
    await office.run()
    assert (await one_of(database, ChunkRow)).state == "dead"
    assert (await one_of(database, BatchRow)).state == "finished"


async def test_the_documents_of_somebody_who_is_locked_out_are_not_touched(office, database):
    await add_batch(database)
    office.owners.refusal = UserDisabled()
    await office.run()
    assert office.extractor.asked == []
    assert (await one_of(database, DocumentRow)).reason == "USER_DISABLED"
