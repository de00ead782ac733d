"""Extractions are kept, taken over, sent again and forgotten, on both databases."""

import asyncio
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import SequenceOutOfRange
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.resumption.entries import KeptEvent, NewExtraction
from ocr_grpc.resumption.errors import ExtractionNotFound, ExtractionResumed, KeptFull
from ocr_grpc.resumption.log import Log
from ocr_grpc.resumption.log_watch import LogWatch
from ocr_grpc.resumption.replay import BYTES_AT_ONCE
from ocr_grpc.resumption.resumption import MAX_USER_BYTES, Resumption
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.resumption import KeptEventRow, KeptExtractionRow
from ocr_grpc.store.sealing import Seal

RETENTION_SECONDS = 600
OPTIONS = ExtractOptions(pages="2-5", password="of the document")
BYTES = b"a document"
PICTURE = bytes(range(256)) * 9


class Place:
    """One process that keeps extractions, and what it was told."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.blobs = Blobs("", folder)
        self.document = folder / "document"
        self.document.write_bytes(BYTES)
        self.kept = Resumption(database, self.blobs, Seal(b"secret"), RETENTION_SECONDS)
        self.lost: list[OcrError] = []

    async def begin(self, user_id: str = "ann", size_bytes: int = len(BYTES)) -> Log:
        new = NewExtraction(
            new_id(), user_id, "OcrService/StreamExtract", "a.pdf", size_bytes, OPTIONS, "r", b"f"
        )
        return await self.kept.begin(new, self.document, self.lost.append)

    async def take_over(self, log: Log, after: int = 0) -> Log:
        taken = await self.kept.take_over("ann", log.extraction_id, after)
        return self.kept.log_of(taken, self.lost.append)

    async def events(self, log: Log, after: int = 0) -> list[KeptEvent]:
        taken = await self.kept.take_over("ann", log.extraction_id, after)
        return [event async for event in self.kept.events(taken, after)]

    async def sweep(self) -> int:
        return sum((await self.kept.expiry.remove(utc_now())).removed.values())

    async def age(self, log: Log, seconds: float) -> None:
        """Have an extraction expire so many seconds from now."""
        async with self.database.write() as session:
            mine = KeptExtractionRow.extraction_id == log.extraction_id
            moment = utc_now() + timedelta(seconds=seconds)
            await session.execute(update(KeptExtractionRow).where(mine).values(expire_time=moment))

    async def count(self) -> tuple[int, int]:
        """Return how many extractions and events there are."""
        async with self.database.read() as session:
            counts = [
                (await session.execute(select(func.count()).select_from(row))).scalar_one()
                for row in (KeptExtractionRow, KeptEventRow)
            ]
        return counts[0], counts[1]

    def has_document(self, log: Log) -> bool:
        return any(path.name == log.extraction_id for path in self.document.parent.rglob("*"))


class Forgetful(Database):
    """Commits, and then says it could not, so many times."""

    lost = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
        if self.lost:
            self.lost -= 1
            raise DatabaseUnavailable


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nobody else tells
            await asyncio.sleep(0.01)


@pytest.fixture
async def place(database, tmp_path) -> AsyncIterator[Place]:
    opened = Place(database, tmp_path)
    await opened.kept.start()
    yield opened
    await opened.kept.close()
    await opened.blobs.close()


def event(number: int, kind: str = "delta", page: int | None = 1, last: bool = False) -> KeptEvent:
    payload = PICTURE if kind == "page_image" else f"event {number}".encode() * 9
    return KeptEvent(number, page, kind, payload, last)


async def test_events_come_back_as_they_were_from_any_number_on(place):
    log = await place.begin()
    sent = [event(1, "started", None), event(2, "page_image"), *map(event, range(3, 100))]
    await log.keep(sent[:1])
    await log.keep(sent[1:])
    assert await place.events(log) == sent
    assert await place.events(log, 98) == sent[98:]
    assert await place.events(log, 99) == []


async def test_events_that_are_sent_again_are_a_megabyte_in_memory_and_not_more(place):
    log = await place.begin()
    third = random.Random(1).randbytes(BYTES_AT_ONCE // 3)
    sent = [event(1, "started", None)]
    sent += [KeptEvent(number, 1, "page_image", third) for number in range(2, 12)]
    sent += [KeptEvent(12, 1, "page_image", third * 9), event(13)]
    await log.keep(sent)
    taken = await place.kept.take_over("ann", log.extraction_id, 0)
    events = place.kept.events(taken, 0)
    assert await anext(events) == sent[0]
    tracemalloc.start()
    try:
        came = [await anext(events) == each for each in sent[1:11]]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(came)
    assert peak_bytes < 3 * BYTES_AT_ONCE
    assert [each async for each in events] == sent[11:]


async def test_events_that_expire_while_they_are_sent_again_are_missed_and_not_left_out(place):
    log = await place.begin()
    sent = [event(1, "started", None), *map(event, range(2, 99))]
    await log.keep([*sent, event(99, "finished", None, last=True)])
    taken = await place.kept.take_over("ann", log.extraction_id, 0)
    events = place.kept.events(taken, 0)
    first = await anext(events)
    await place.age(log, -1)
    assert await place.sweep() == 1
    came = [first]

    async def rest() -> None:
        async for each in events:
            came.append(each)  # noqa: PERF401 - those before an error count

    with pytest.raises(ExtractionNotFound):
        await rest()
    assert came == sent[: len(came)]


async def test_events_do_not_expire_while_they_are_sent_again(place):
    log = await place.begin()
    sent = [event(1, "started", None), *map(event, range(2, 99))]
    await log.keep([*sent, event(99, "finished", None, last=True)])
    taken = await place.kept.take_over("ann", log.extraction_id, 0)
    count = 0
    async for _ in place.kept.events(taken, 0):
        count += 1
        if count == 10:
            await place.age(log, 45)
    assert count == 99
    async with place.database.read() as session:
        row = await session.get(KeptExtractionRow, log.extraction_id)
    assert row.expire_time > utc_now() + timedelta(seconds=60)


async def test_a_user_has_two_gigabytes_of_documents_kept_until_they_are_forgotten(place):
    first = await place.begin(size_bytes=MAX_USER_BYTES - 10)
    await place.begin(size_bytes=9)
    await place.kept.require_room("ann", 1)
    with pytest.raises(KeptFull) as refused:
        await place.kept.require_room("ann", 2)
    assert refused.value.metadata == {"limit": str(MAX_USER_BYTES)}
    await place.kept.require_room("bob", 2)
    await place.age(first, -1)
    await place.kept.require_room("ann", 2)


async def test_an_extraction_is_its_owners_and_numbers_are_those_that_were_sent(place):
    log = await place.begin()
    with pytest.raises(ExtractionNotFound):  # nobody was told of it yet
        await place.kept.take_over("ann", log.extraction_id, 0)
    await log.keep([event(1, "started", None)])
    for user_id, extraction_id in (
        ("bob", log.extraction_id),
        ("ann", new_id()),
        ("ann", ""),
        ("ann", "\0"),
        ("ann", "x" * 999),
    ):
        with pytest.raises(ExtractionNotFound):
            await place.kept.take_over(user_id, extraction_id, 0)
    for number in (-1, 2):
        with pytest.raises(SequenceOutOfRange):
            await place.kept.take_over("ann", log.extraction_id, number)
    await log.keep([event(2)])  # none of them took it over


async def test_whoever_goes_on_finds_the_document_and_how_to_read_it(place, tmp_path):
    log = await place.begin()
    await log.keep([event(1, "started", None)])
    taken = await place.kept.take_over("ann", log.extraction_id, 1)
    assert place.kept.options_of(taken) == OPTIONS
    assert OPTIONS.password.encode() not in taken.sealed_options
    assert (taken.file_name, taken.size_bytes, taken.request_id) == ("a.pdf", len(BYTES), "r")
    async with place.kept.document(taken, tmp_path) as path:
        assert path.read_bytes() == BYTES


async def test_only_the_last_one_to_go_on_adds_events(place):
    first = await place.begin()
    await first.keep([event(1, "started", None)])
    second = await place.take_over(first)
    third = await place.take_over(first)
    for log in (first, second):
        with pytest.raises(ExtractionResumed):
            await log.keep([event(2, page=7)])
    await third.keep([event(2)])
    assert await place.events(third) == [event(1, "started", None), event(2)]


async def test_many_extractions_are_written_together_and_one_that_was_lost_harms_no_other(place):
    logs = [await place.begin() for _ in range(9)]
    await asyncio.gather(*(log.keep([event(1, "started", None)]) for log in logs))
    await place.take_over(logs[4])
    outcomes = await asyncio.gather(
        *(log.keep([event(2), event(3)]) for log in logs), return_exceptions=True
    )
    lost = [number for number, outcome in enumerate(outcomes) if outcome is not None]
    assert lost == [4]
    assert isinstance(outcomes[4], ExtractionResumed)
    assert await place.count() == (9, 9 + 2 * 8)


async def test_events_are_kept_once_though_the_answers_of_the_database_are_lost(embedded, tmp_path):
    database = Forgetful(embedded.database_url)
    place = Place(database, tmp_path)
    await place.kept.start()
    log = await place.begin()
    database.lost = 2
    await log.keep([event(1, "started", None), event(2)])
    assert database.lost == 0
    assert await place.count() == (1, 2)
    await log.keep([event(3)])
    assert [each.sequence for each in await place.events(log)] == [1, 2, 3]
    await place.kept.close()
    await place.blobs.close()
    await database.close()


async def test_a_stream_to_which_nothing_happens_hears_that_somebody_else_goes_on(place):
    log = await place.begin()
    await log.keep([event(1, "started", None)])
    await place.take_over(log)
    await until(lambda: place.lost)
    assert [type(error) for error in place.lost] == [ExtractionResumed]
    with pytest.raises(ExtractionResumed):
        await log.keep([event(2)])


async def test_what_is_being_read_does_not_expire_however_long_a_page_takes(place):
    log = await place.begin()
    await log.keep([event(1, "started", None)])
    watch = LogWatch(place.database, timedelta(seconds=RETENTION_SECONDS))
    watch.opened(log)
    await place.age(log, RETENTION_SECONDS / 2)
    await watch.look()
    async with place.database.read() as session:
        row = await session.get(KeptExtractionRow, log.extraction_id)
    assert row.expire_time > utc_now() + timedelta(seconds=RETENTION_SECONDS * 0.9)


async def test_what_has_expired_is_over_and_goes_with_its_document(place):
    old, young = await place.begin(), await place.begin()
    for log in (old, young):
        await log.keep([event(1, "started", None), event(2)])
    await place.age(old, -1)
    with pytest.raises(ExtractionNotFound):
        await place.take_over(old)
    with pytest.raises(ExtractionNotFound):
        await old.keep([event(3)])
    assert (await place.kept.expiry.due(utc_now())) == {"kept_streams": 1}
    assert await place.sweep() == 1
    assert await place.count() == (1, 2)
    assert (place.has_document(old), place.has_document(young)) == (False, True)
    assert await place.sweep() == 0


async def test_a_process_that_dies_at_any_point_leaves_nothing_for_good(place, tmp_path):
    without_events, without_document = await place.begin(), await place.begin()
    await place.blobs.delete([without_document.extraction_id])
    half_swept = await place.begin()
    await half_swept.keep([event(1, "started", None)])
    for log in (without_events, without_document, half_swept):
        await place.age(log, -1)
    await place.blobs.delete([half_swept.extraction_id])  # and then the process was gone
    other = Place(place.database, tmp_path)
    assert await other.sweep() == 3
    assert await place.count() == (0, 0)
    assert not any(map(place.has_document, (without_events, without_document, half_swept)))
    await other.kept.close()
    await other.blobs.close()


async def test_an_extraction_that_has_ended_keeps_its_events_and_not_its_document(place):
    log = await place.begin()
    sent = [event(1, "started", None), event(2, "finished", None, last=True)]
    await log.keep(sent)
    place.kept.has_ended(log.extraction_id)
    await until(lambda: not place.has_document(log))
    taken = await place.kept.take_over("ann", log.extraction_id, 0)
    assert (taken.ended, taken.last_sequence, taken.attempt) == (True, 2, 1)
    assert [event.sequence async for event in place.kept.events(taken, 0)] == [1, 2]


async def test_progress_tells_of_pages_that_ended_and_of_what_was_sent_of_others(place):
    log = await place.begin()
    story = [("started", None), ("page_started", 1), ("page_started", 2), ("delta", 1)]
    story += [("delta", 2), ("page_finished", 1), ("retract", 2), ("delta", 2)]
    await log.keep([event(number, kind, page) for number, (kind, page) in enumerate(story, 1)])
    taken = await place.kept.take_over("ann", log.extraction_id, 0)
    told = [(each.kind, each.page_number) async for each in place.kept.progress(taken)]
    assert told == [
        ("started", None),
        ("page_started", 2),
        ("delta", 2),
        ("page_finished", 1),
        ("delta", 2),
    ]


async def test_nothing_is_kept_before_it_starts_and_after_it_was_closed(database, tmp_path):
    place = Place(database, tmp_path)
    await place.kept.start()
    log = await place.begin()
    await place.kept.close()
    with pytest.raises(OcrError):
        await log.keep([event(1, "started", None)])
    await place.blobs.close()
