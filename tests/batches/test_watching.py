"""The events of a batch: all of them, once, in order, as they happen, to its owner."""

import asyncio
from contextlib import aclosing

import pytest
from sqlalchemy import event

from ocr_grpc.accounts.errors import KeyRevoked
from ocr_grpc.batches.errors import BatchDeleted, BatchNotFound, TooManyWatchers
from ocr_grpc.batches.sheet import CHANNEL, ENDED, progress_of
from ocr_grpc.batches.watching import PORTION, Watching
from ocr_grpc.extraction.errors import SequenceOutOfRange, ShuttingDown
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, EventRow, PageRow
from ocr_grpc.store.news import News
from tests.batches.rows import add_batch
from tests.metering.support import until


@pytest.fixture
async def news(database):
    news = News(database, CHANNEL)
    await news.start()
    await until(lambda: news.healthy)
    yield news
    await news.close()


@pytest.fixture
def watching(database, news):
    return Watching(database, news, poll_seconds=3600)  # so that it is the news that wake it


async def happen(database, news, batch_id, *kinds, document_id=None, state=None, first_page=1):
    """Write events as the desk does: numbered, with the batch, and told."""
    async with database.write() as session:
        batch = await session.get(BatchRow, batch_id)
        for number, kind in enumerate(kinds, start=first_page):
            batch.last_sequence += 1
            page = number if kind == "page_finished" else None
            batch.pages_ok += page is not None
            session.add(
                EventRow(
                    batch_id=batch_id,
                    sequence=batch.last_sequence,
                    create_time=utc_now(),
                    kind=kind,
                    document_id=document_id,
                    page_number=page,
                    progress=progress_of(batch),
                )
            )
            if page:
                session.add(
                    PageRow(document_id=document_id, page_number=page, outcome="ok", result=b"page")
                )
        batch.state = state or batch.state
        await news.note(session, batch_id)


def watch(watching, batch_id, after=0, pages=False, interruption=None, user_id="ann"):
    return watching.events(user_id, batch_id, after, pages, interruption or Interruption())


async def numbers(events) -> list[int]:
    async with asyncio.timeout(30), aclosing(events):
        return [each.event.sequence async for each in events]


async def test_events_that_happened_come_first_and_then_those_that_happen(database, news, watching):
    batch, [chunk] = await add_batch(database)
    await happen(database, news, batch.batch_id, "document_started", document_id=chunk.document_id)
    async with asyncio.timeout(30), aclosing(watch(watching, batch.batch_id)) as events:
        first = await anext(events)
        assert (first.event.kind, first.document.number) == ("document_started", 1)
        pages = ["page_finished"] * 2
        await happen(database, news, batch.batch_id, *pages, document_id=chunk.document_id)
        second, third = [await anext(events) for _ in range(2)]
        assert (second.event.page_number, third.event.page_number) == (1, 2)
        assert (second.page.outcome, second.page.result) == ("ok", None)
        assert second.event.progress[5] == 1
        last = ["document_finished", "finished"]
        document_id = chunk.document_id
        await happen(
            database, news, batch.batch_id, *last, document_id=document_id, state="finished"
        )
        fourth, fifth = [each async for each in events]
    assert fourth.document.document_id == chunk.document_id
    assert (fifth.event.kind, fifth.batch.state) == ("finished", "finished")


async def test_pages_come_whole_if_they_are_asked_for(database, news, watching):
    batch, [chunk] = await add_batch(database)
    kinds = ["page_finished"] * 40 + ["finished"]
    document_id = chunk.document_id
    await happen(database, news, batch.batch_id, *kinds, document_id=document_id, state="finished")
    async with asyncio.timeout(30), aclosing(watch(watching, batch.batch_id, pages=True)) as events:
        results = [each.page.result if each.page else None async for each in events]
    assert results == [b"page"] * 40 + [None]


async def test_a_watcher_goes_on_after_any_event_without_a_gap(database, news, watching):
    batch, [chunk] = await add_batch(database)
    kinds = ["page_finished"] * (2 * PORTION) + ["finished"]
    document_id = chunk.document_id
    await happen(database, news, batch.batch_id, *kinds, document_id=document_id, state="finished")
    last = len(kinds)
    for after in (0, PORTION - 1, PORTION, last - 1, last):
        seen = await numbers(watch(watching, batch.batch_id, after))
        assert seen == list(range(after + 1, last + 1))


@pytest.mark.parametrize("after", [-1, 1])
async def test_a_number_that_was_never_sent_is_refused(database, watching, after):
    batch, _ = await add_batch(database)
    with pytest.raises(SequenceOutOfRange):
        await numbers(watch(watching, batch.batch_id, after))


async def test_a_batch_of_somebody_else_cannot_be_watched(database, watching):
    batch, _ = await add_batch(database)
    with pytest.raises(BatchNotFound):
        await numbers(watch(watching, batch.batch_id, user_id="bob"))


async def test_it_does_not_end_while_a_part_is_read_again(database, news, watching):
    batch, _ = await add_batch(database)
    await happen(database, news, batch.batch_id, "finished", state="finished")
    await happen(database, news, batch.batch_id, "document_finished", state="reading")
    seen = asyncio.create_task(numbers(watch(watching, batch.batch_id)))
    await happen(database, news, batch.batch_id, "finished", state="finished")
    assert await seen == [1, 2, 3]


async def test_it_ends_when_the_batch_is_deleted(database, news, watching):
    batch, _ = await add_batch(database)
    await happen(database, news, batch.batch_id, "document_started")
    async with asyncio.timeout(30), aclosing(watch(watching, batch.batch_id)) as events:
        await anext(events)
        waiting = asyncio.create_task(anext(events))
        async with database.write() as session:
            (await session.get(BatchRow, batch.batch_id)).delete_time = utc_now()
            await news.note(session, ENDED + batch.batch_id)
        with pytest.raises(BatchDeleted):
            await waiting


async def test_events_come_without_news_too(database, news):
    silent = News(database, "another channel")
    batch, _ = await add_batch(database)
    polling = Watching(database, silent, poll_seconds=0.1)
    seen = asyncio.create_task(numbers(watch(polling, batch.batch_id)))
    await happen(database, news, batch.batch_id, "finished", state="finished")
    assert await seen == [1]


async def test_one_look_serves_all_who_watch_and_is_taken_for_nobody_else(database, news):
    silent = News(database, "another channel")
    polling = Watching(database, silent, poll_seconds=0.05)
    made = [(await add_batch(database))[0] for _ in range(4)]
    looks: list[bool] = []

    def saw(connection, cursor, statement, *_) -> None:
        looks.append("FROM batch_events" in statement)

    event.listen(database.engine.sync_engine, "after_cursor_execute", saw)
    seen = [asyncio.create_task(numbers(watch(polling, each.batch_id))) for each in made]
    await until(lambda: sum(looks) == len(made))  # each has read what there is: nothing
    before = len(looks)
    await until(lambda: len(looks) > before + 8)
    assert sum(looks) == len(made)  # nothing is read for watchers as long as nothing happens
    event.remove(database.engine.sync_engine, "after_cursor_execute", saw)
    for each in made:
        await happen(database, news, each.batch_id, "finished", state="finished")
    assert await asyncio.gather(*seen) == [[1]] * 4


async def test_one_user_watches_a_bounded_number_of_times(database, news):
    watching = Watching(database, news, poll_seconds=3600, max_watchers=2)
    mine, (theirs, _) = (await add_batch(database))[0], await add_batch(database, user_id="bob")
    for batch in (mine, theirs):
        await happen(database, news, batch.batch_id, "document_started")
    first, second, third = [watch(watching, mine.batch_id) for _ in range(3)]
    async with asyncio.timeout(30), aclosing(first), aclosing(second):
        await anext(first)
        await anext(second)
        with pytest.raises(TooManyWatchers, match="At most 2 "):
            await anext(third)
        await anext(other := watch(watching, theirs.batch_id, user_id="bob"))
        await other.aclose()
        await first.aclose()
        await anext(again := watch(watching, mine.batch_id))
        await again.aclose()


async def test_whoever_loses_the_credential_or_the_server_is_told(database, news, watching):
    batch, _ = await add_batch(database)
    await happen(database, news, batch.batch_id, "document_started")
    interruption = Interruption()
    async with asyncio.timeout(30):
        mine, others = [
            watch(watching, batch.batch_id, interruption=each)
            for each in (interruption, Interruption())
        ]
        for events in (mine, others):
            await anext(events)
        waiting = asyncio.create_task(anext(mine)), asyncio.create_task(anext(others))
        interruption.end(KeyRevoked())
        with pytest.raises(KeyRevoked):
            await waiting[0]
        watching.interrupt()
        with pytest.raises(ShuttingDown):
            await waiting[1]


async def test_nothing_is_kept_of_watchers_that_are_gone(database, news, watching):
    batch, _ = await add_batch(database)
    await happen(database, news, batch.batch_id, "document_started")
    events = watch(watching, batch.batch_id)
    await anext(events)
    await events.aclose()
    assert watching.watchers == 0
